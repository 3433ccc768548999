"""The stage's lag, in records and in seconds, and what it tells of itself."""

import asyncio
import time
from types import SimpleNamespace
from unittest.mock import AsyncMock, MagicMock

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry

from feature_stream.continuity import Continuity
from feature_stream.figures import StageFigures
from feature_stream.telling import Teller
from schemas.status import StatusBoard


class Setting:
    """Two partitions of which a test moves the next offsets; as far as was fetched, the log of each ends at 100."""

    def __init__(self) -> None:
        self.lives = [SimpleNamespace(continuity=Continuity(0), newest_record_ms=None) for _ in range(2)]
        self.stage = MagicMock(partitions=dict(enumerate(self.lives)))
        self.stage.oldest_unsaid_seconds.return_value = 0.25
        self.tps = {TP("ticks", number) for number in range(2)}
        self.consumer = MagicMock(highwaters=AsyncMock(return_value=dict.fromkeys(self.tps, 100)))
        self.consumer.assignment.return_value = self.tps
        self.consumer.highwater.return_value = 100
        self.registry = CollectorRegistry()
        self.figures = StageFigures(self.registry)
        self.board = StatusBoard("feature_stream", "a")
        self.teller = Teller(self.stage, self.figures, MagicMock(consumer=self.consumer), "ticks", self.board)

    def tell(self, *offsets: int) -> dict[int, int]:
        for number, offset in enumerate(offsets):
            self.lives[number].continuity.next_offset = offset
        return self.teller.tell(1.0)

    def take(self, number: int, seconds_ago: float) -> None:
        """Let the newest record of a partition be so old."""
        self.lives[number].newest_record_ms = round((time.time() - seconds_ago) * 1_000)

    def shown(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


async def test_the_lag_is_that_of_all_partitions() -> None:
    setting = Setting()
    assert setting.tell(90, 95) == {0: 10, 1: 5}
    assert setting.board.event().lag_records == 15
    assert setting.shown("tickcast_lag_records", topic="ticks") == 15
    assert setting.shown("tickcast_partitions") == 2
    assert setting.shown("tickcast_oldest_feature_age_seconds") == 0.25


async def test_a_fetch_that_hangs_does_not_hide_what_waits() -> None:
    setting = Setting()
    setting.consumer.highwaters.return_value = {TP("ticks", 0): 140, TP("ticks", 1): 100}
    assert setting.tell(100, 100) == {0: 0, 1: 0}
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert setting.tell(100, 100) == {0: 40, 1: 0}


async def test_the_age_of_the_brokers_last_answer_grows_while_it_does_not_answer() -> None:
    setting = Setting()
    setting.consumer.highwaters.side_effect = OSError("no broker")
    before = time.monotonic()
    for _ in range(3):
        setting.tell(100, 100)
        await asyncio.sleep(0)
    assert setting.teller.ends.silent_seconds(before + 60) > 59
    assert setting.consumer.highwaters.call_count == 3


async def test_the_lag_in_seconds_is_that_of_the_partition_that_is_furthest_behind() -> None:
    setting = Setting()
    setting.take(0, seconds_ago=3.0)
    setting.take(1, seconds_ago=60.0)
    setting.tell(90, 95)
    assert setting.board.event().lag_seconds == pytest.approx(60, abs=5)
    setting.tell(90, 100)
    assert setting.board.event().lag_seconds == pytest.approx(3, abs=2.9)
    setting.tell(100, 100)
    assert setting.board.event().lag_seconds == 0


async def test_while_partitions_move_between_workers_nothing_is_asked_of_the_consumer() -> None:
    setting = Setting()
    setting.stage.partitions = {}
    assert setting.tell() == {}
    assert setting.board.event().lag_records == 0
    setting.consumer.highwaters.assert_not_called()


async def test_rates_and_totals_go_out_with_the_status() -> None:
    setting = Setting()
    setting.figures.totals.update(ticks=500, frames=10, bars=2)
    setting.figures.lost(3)
    setting.figures.dead_letter("late")
    setting.tell(100, 100)
    setting.figures.totals.update(ticks=300)
    setting.tell(100, 100)
    event = setting.board.event()
    assert (event.rates["ticks"], event.rates["frames"]) == (300.0, 0.0)
    assert (event.totals["ticks"], event.totals["bars"], event.totals["records_lost"]) == (800, 2, 3)
    assert (event.totals["late"], event.totals["dead_letters"], event.totals["early"]) == (1, 1, 0)
