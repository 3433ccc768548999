"""A flood of bad records ends the stage before anything beyond the bound is absorbed, and nobody starts it again."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.parts import Part
from feature_stream.state import PartitionState, TickerState
from feature_stream.table import offset_of, partition_key, snapshot_of
from schemas.errors import EXIT_STOP_AND_SAY, StopAndSayError
from schemas.events import TickFrame
from schemas.partitioning import partition_of
from schemas.topics import DEAD_LETTERS, TICKER_STATES_CHANGELOG, TICKS
from tests.brokers import BrokerUnderTest
from tests.deploy.supervised import watched
from tests.feature_stream.runs import frame
from tests.feature_stream.simulation import PARTITIONS
from tests.processes import Processes, ServiceProcess, clean_environment

pytestmark = pytest.mark.integration

BOUND = 5
HOME = partition_of("GOOD", PARTITIONS)
#: Offsets: two good frames, then a bad record after each good one, and the flood.
LAST_ABSORBED = 2 + 2 * BOUND


def _good(sequence: int) -> TickFrame:
    return frame([("GOOD", float(sequence), 1.0 + sequence, 1.0)], sequence=sequence)


def _flood(broker: BrokerUnderTest) -> None:
    """Write bad records among good ones: BOUND of them, a good one, one bad record too many, and good ones."""
    broker.produce(TICKS, _good(0), _good(1), partition=HOME)
    for number in range(BOUND):
        broker.produce(TICKS, _good(2 + number), b"garbage %d" % number, partition=HOME)
    later = [_good(number) for number in range(BOUND + 3, BOUND + 6)]
    broker.produce(TICKS, _good(BOUND + 2), b"one too many", *later, partition=HOME)


def _start(processes: Processes, broker: BrokerUnderTest, bound: int = BOUND) -> ServiceProcess:
    return processes.start("feature_stream", environment=broker.environment(interval="1m", bad_inputs_bound=bound))


def _letters(broker: BrokerUnderTest) -> list[int]:
    """Give the offsets of all dead letters, each as often as it was sent."""
    return sorted(int(letter.headers["dead_letter_offset"]) for letter in broker.read(DEAD_LETTERS))


def _kept(broker: BrokerUnderTest, key: bytes) -> tuple[int, bytes]:
    """Give the offset and the snapshot that the table holds of a key."""
    *_, value = [record.value or b"" for record in broker.read(TICKER_STATES_CHANGELOG) if record.key == key]
    return offset_of(value), snapshot_of(value)


def _assert_kept_up_to_the_bound_and_nothing_beyond(broker: BrokerUnderTest) -> None:
    offset, snapshot = _kept(broker, partition_key(HOME))
    assert offset == PartitionState.restore(snapshot).offset == LAST_ABSORBED
    offset, snapshot = _kept(broker, b"GOOD")
    [bar] = TickerState.restore(snapshot).open_bars
    assert (offset, bar.tick_count, bar.close) == (LAST_ABSORBED, BOUND + 3, 1.0 + BOUND + 2)
    assert _letters(broker) == [3 + 2 * number for number in range(BOUND)]


def test_what_came_before_is_kept_and_every_start_stops_at_the_same_record_until_the_bound_is_raised(
    kafka: BrokerUnderTest, processes: Processes
) -> None:
    _flood(kafka)
    for _ in range(2):
        stage = _start(processes, kafka)
        assert stage.wait() == EXIT_STOP_AND_SAY
        said = stage.output().splitlines()[-1]
        assert f"5 from ticks-{HOME}@3 to ticks-{HOME}@11, and 1 more in ticks-{HOME}@13" in said
        assert "TICKCAST_BAD_INPUTS_BOUND" in said
        _assert_kept_up_to_the_bound_and_nothing_beyond(kafka)
    unbounded = _start(processes, kafka, bound=0)
    unbounded.wait_until_healthy()
    unbounded.wait_for(lambda: unbounded.metric("tickcast_ticks_absorbed_total") == 3, what="the rest")
    assert unbounded.stop() == 0
    assert _letters(kafka)[BOUND:] == [LAST_ABSORBED + 1]
    assert _kept(kafka, partition_key(HOME))[0] == LAST_ABSORBED + 4


async def test_the_supervisor_does_not_start_it_again_and_says_why(kafka: BrokerUnderTest, tmp_path: Path) -> None:
    _flood(kafka)
    settings: dict[str, Any] = {"interval": "1m", "bad_inputs_bound": BOUND, "metrics_port": 0}
    environment = clean_environment() | kafka.environment(data_directory=tmp_path, **settings)
    stage = Part("feature_stream", (sys.executable, "-m", "feature_stream"), environment)
    async with watched(stage) as it:
        with pytest.raises(StopAndSayError, match=f"^feature_stream stopped: more than {BOUND} bad inputs"):
            await asyncio.wait_for(it.supervisor.watch(), 120)
        assert "starting it again" not in it.log
    _assert_kept_up_to_the_bound_and_nothing_beyond(kafka)
