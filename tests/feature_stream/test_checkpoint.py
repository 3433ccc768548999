"""A checkpoint is kept whole or bars every later one: what a broken one had cut, a later one would lack."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from faust.types import TP

from feature_stream.checkpoint import Checkpointer, CheckpointError
from feature_stream.membership import LostPlaceError
from feature_stream.stage import Cut
from feature_stream.table import ForeignWriteError


class Outputs:
    """Outputs of which a test says when they are acknowledged, and how."""

    def __init__(self) -> None:
        self.acknowledged = asyncio.Event()
        self.acknowledged.set()

    def next_epoch(self) -> object:
        return object()

    async def settled(self, _epoch: object) -> None:
        await self.acknowledged.wait()


class Stage:
    """A stage with one partition, that has one ticker to keep at each cut, another one each time."""

    def __init__(self) -> None:
        self.cuts = 0
        self.partitions = {0: None}

    def cut(self, partition: int) -> Cut | None:
        self.cuts += 1
        event = SimpleNamespace(message=SimpleNamespace(partition=partition))
        ticker = (f"T{self.cuts}".encode(), self.cuts, b"state")
        return Cut(partition, 1, event, self.cuts, b"record", [ticker])


class Setting:
    """A checkpointer among parts that a test can look at."""

    def __init__(self) -> None:
        self.stage, self.outputs, self.membership = Stage(), Outputs(), MagicMock()
        self.saved: list[bytes] = []
        self.committed: list[Mapping[TP, int]] = []
        self.table = MagicMock(save=lambda _event, key, _value: self.saved.append(key))
        parts: Any = (self.stage, self.table, self.outputs, self.membership, MagicMock())
        self.checkpointer = Checkpointer(*parts, ticks_topic="ticks", partitions=4)

    async def write(self) -> None:
        await self.checkpointer.write(self._commit)

    async def _commit(self, offsets: Mapping[TP, int]) -> None:
        self.committed.append(offsets)


def test_outputs_come_before_tickers_tickers_before_the_record_and_the_offset_last() -> None:
    async def scenario() -> None:
        setting = Setting()
        setting.outputs.acknowledged.clear()
        writing = asyncio.create_task(setting.write())
        await asyncio.sleep(0)
        assert setting.saved == []
        setting.outputs.acknowledged.set()
        await writing
        assert setting.saved == [b"T1", b"@0"]
        assert setting.committed == [{TP("ticks", 0): 2}]

    asyncio.run(scenario())


def test_after_a_checkpoint_that_was_broken_off_no_other_is_written() -> None:
    async def scenario() -> None:
        setting = Setting()
        setting.outputs.acknowledged.clear()
        writing = asyncio.create_task(setting.write())
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        setting.outputs.acknowledged.set()
        with pytest.raises(CheckpointError):
            await setting.write()
        assert setting.saved == []

    asyncio.run(scenario())


def test_a_checkpoint_that_is_broken_off_between_two_cuts_bars_every_later_one_too() -> None:
    async def scenario() -> None:
        setting = Setting()
        setting.stage.partitions = {0: None, 1: None}
        writing = asyncio.create_task(setting.write())
        await asyncio.sleep(0)
        assert setting.stage.cuts == 1
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        with pytest.raises(CheckpointError):
            await setting.write()
        assert setting.saved == []

    asyncio.run(scenario())


def test_a_stage_that_fails_between_two_cuts_has_the_second_partition_not_cut_and_nothing_kept() -> None:
    async def scenario() -> None:
        setting = Setting()
        setting.stage.partitions = {0: None, 1: None}
        writing = asyncio.create_task(setting.write())
        await asyncio.sleep(0)
        setting.checkpointer.give_up()
        with pytest.raises(CheckpointError):
            await writing
        assert (setting.stage.cuts, setting.saved, setting.committed) == (1, [], [])

    asyncio.run(scenario())


def test_after_a_place_was_lost_no_checkpoint_is_written_even_when_heartbeats_come_again() -> None:
    async def scenario() -> None:
        setting = Setting()
        setting.membership.require.side_effect = LostPlaceError("late")
        with pytest.raises(LostPlaceError):
            await setting.write()
        setting.membership.require.side_effect = None
        with pytest.raises(CheckpointError):
            await setting.write()
        assert setting.saved == []

    asyncio.run(scenario())


def test_a_place_that_is_lost_between_two_writes_is_noticed_before_the_second() -> None:
    async def scenario() -> None:
        setting = Setting()
        setting.membership.require.side_effect = [None, LostPlaceError("stopped in between")]
        with pytest.raises(LostPlaceError):
            await setting.write()
        assert setting.saved == [b"T1"]

    asyncio.run(scenario())


def test_a_stage_that_failed_in_the_middle_of_a_record_is_not_kept() -> None:
    async def scenario() -> None:
        setting = Setting()
        setting.checkpointer.give_up()
        with pytest.raises(CheckpointError):
            await setting.write()
        assert (setting.stage.cuts, setting.saved) == (0, [])

    asyncio.run(scenario())


def test_a_record_is_not_written_where_another_process_writes_too() -> None:
    async def scenario() -> None:
        setting = Setting()
        setting.table.require_alone.side_effect = ForeignWriteError("another one")
        with pytest.raises(ForeignWriteError):
            await setting.write()
        assert (setting.saved, setting.committed) == ([b"T1"], [])

    asyncio.run(scenario())
