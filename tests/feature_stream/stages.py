"""Stages as processes, what they are fed, what they must say, and what their changelog must hold."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from feature_stream.state import PartitionState
from feature_stream.table import is_partition_key, offset_of, partition_key, snapshot_of
from schemas.broker import wait_until
from schemas.events import TickFrame
from schemas.topics import BARS, FEATURES, TICKER_STATES_CHANGELOG, TICKS
from tests.brokers import BrokerUnderTest, Record
from tests.contents import content_of, contents
from tests.feature_stream.simulation import PARTITIONS, expected_events
from tests.processes import Processes, ServiceProcess


def start_stage(processes: Processes, broker: BrokerUnderTest, **settings: Any) -> ServiceProcess:
    """Start the stage as it is."""
    return processes.start("feature_stream", environment=_environment(broker, settings))


def start_faulty_stage(
    processes: Processes, broker: BrokerUnderTest, fault: str, number: int, **settings: Any
) -> ServiceProcess:
    """Start the stage with a fault of `faulty_stage`."""
    environment = _environment(broker, settings)
    return processes.start("tests.feature_stream.faulty_stage", fault, str(number), environment=environment)


def _environment(broker: BrokerUnderTest, settings: Mapping[str, Any]) -> dict[str, str]:
    return broker.environment(**{"interval": "1m", "update_interval_ms": 50, **settings})


def feed(broker: BrokerUnderTest, frames: Iterable[tuple[int, TickFrame]]) -> None:
    """Write frames to their partitions."""
    homes: dict[int, list[TickFrame]] = defaultdict(list)
    for home, frame in frames:
        homes[home].append(frame)
    for home, theirs in homes.items():
        broker.produce(TICKS, *theirs, partition=home)


def feed_until(
    broker: BrokerUnderTest, frames: Iterator[tuple[int, TickFrame]], holds: Callable[[], bool], *, what: str
) -> None:
    """Go on feeding a market, part by part, until a condition holds."""

    def fed_and_holds() -> bool:
        feed(broker, islice(frames, 2 * PARTITIONS))
        return holds()

    wait_until(fed_and_holds, seconds=120, what=what)


def all_ids(wanted: Iterable[str]) -> Callable[[list[Record]], bool]:
    """Tell when every id was read."""
    missing, seen = set(wanted), 0

    def enough(records: list[Record]) -> bool:
        nonlocal seen
        missing.difference_update(record.event().id for record in records[seen:])
        seen = len(records)
        return not missing

    return enough


def assert_says_what_the_log_says(broker: BrokerUnderTest) -> None:
    """Wait for all bars and final features that `ticks` holds, and check every one that is there."""
    bars, finals = expected_events(broker.read(TICKS))
    assert bars
    said_bars = contents(broker.read(BARS, all_ids(bars)))
    assert said_bars == {key: content_of(bar) for key, bar in bars.items()}
    said = contents(broker.read(FEATURES, all_ids(finals)))
    said_finals = {key: content for key, content in said.items() if content["final"]}
    assert said_finals == {key: content_of(event) for key, event in finals.items()}


def every_partition_is_kept(changelog: list[Record]) -> bool:
    """Tell whether each partition has a record in the changelog."""
    return {partition_key(number) for number in range(PARTITIONS)} <= {record.key for record in changelog}


def is_kept_through(offsets: Mapping[int, int]) -> Callable[[list[Record]], bool]:
    """Tell when the changelog says that each partition is absorbed through an offset."""

    def enough(changelog: list[Record]) -> bool:
        kept = newest_offsets(changelog)
        return all(kept.get(partition_key(number), -1) >= offset for number, offset in offsets.items())

    return enough


def wait_until_all_is_kept(broker: BrokerUnderTest) -> list[Record]:
    """Wait until all of `ticks` is absorbed and kept, and give the changelog."""
    ends = {number: end - 1 for number, end in broker.ends(TICKS).items()}
    return broker.read(TICKER_STATES_CHANGELOG, is_kept_through(ends))


def newest_offsets(changelog: Iterable[Record]) -> dict[bytes, int]:
    """Give the highest offset in `ticks` at which each key was kept."""
    newest: dict[bytes, int] = {}
    for record in changelog:
        key, offset = stands(record)
        newest[key] = max(offset, newest.get(key, -1))
    return newest


def stands(record: Record) -> tuple[bytes, int]:
    """Give a changelog record's key, and the offset in `ticks` that it stands at."""
    assert record.key is not None
    assert record.value is not None
    return record.key, offset_of(record.value)


def partition_record(record: Record) -> PartitionState | None:
    """Give what a changelog record says of a partition; None for a ticker's state."""
    assert record.key is not None
    assert record.value is not None
    return PartitionState.restore(snapshot_of(record.value)) if is_partition_key(record.key) else None


def assert_no_record_speaks_of_states_that_are_not_there(changelog: Iterable[Record]) -> None:
    """Check that each partition's record came after every state that it counts on."""
    newest: dict[bytes, int] = {}
    for record in sorted(changelog, key=lambda record: (record.partition, record.offset)):
        key, offset = stands(record)
        newest[key] = max(offset, newest.get(key, -1))
        said = partition_record(record)
        for ticker, kept in (said.kept if said else {}).items():
            assert newest.get(ticker.encode(), -1) >= kept, f"{ticker} at {record.partition}/{record.offset}"


def loaded(stage: ServiceProcess) -> list[tuple[int, int]]:
    """Give what a stage says of its recoveries: partition, and the offset that its record stands at."""
    said = re.findall(r"partition (\d+): \d+ tickers, offset (-?\d+)", stage.output())
    return [(int(partition), int(offset)) for partition, offset in said]
