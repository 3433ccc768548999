"""A partition that brings nothing is read again: the last records of a log leave no gap that others could show."""

import asyncio
from types import SimpleNamespace
from unittest.mock import AsyncMock, MagicMock

from faust.types import TP

from feature_stream.continuity import Continuity
from feature_stream.healing import Healer
from feature_stream.progress import Flow, Silence


class Setting:
    """Two partitions; `again` tells what was read again."""

    def __init__(self) -> None:
        self.continuities = {number: Continuity(7) for number in range(2)}
        stage = MagicMock()
        stage.partitions = {number: SimpleNamespace(continuity=held) for number, held in self.continuities.items()}
        tps = {TP("ticks", number) for number in range(2)}
        self.consumer = MagicMock(earliest_offsets=AsyncMock(return_value=dict.fromkeys(tps, 0)), rewind=AsyncMock())
        self.consumer.assignment.return_value = tps
        self.consumer.flow.return_value = Flow()
        stage.waiting.return_value = []
        self.figures = MagicMock()
        self.healer = Healer(stage, self.figures, MagicMock(consumer=self.consumer), "ticks", lambda work: work)
        self.silence: Silence | None = None

    async def watch(self, now: float, *lags: int) -> list[tuple[int, int]]:
        """Give partition and offset of each rewind."""
        self.consumer.rewind.reset_mock()
        self.silence = self.healer.watch(dict(enumerate(lags)), now)
        while self.healer._tasks:
            await asyncio.sleep(0)
        return [(call.args[0].partition, call.args[1]) for call in self.consumer.rewind.call_args_list]


async def test_it_is_read_again_from_the_next_offset_while_another_partition_moves() -> None:
    setting, again = Setting(), {}
    for second in range(30):
        setting.continuities[1].next_offset = second
        again[second] = await setting.watch(float(second), 3, 99)
    rewound = {second: places for second, places in again.items() if places}
    assert rewound == {second: [(0, 7)] for second in (2, 4, 8, 16)}


async def test_one_whose_turn_has_not_come_is_not_read_again_unless_nobodys_comes() -> None:
    setting = Setting()
    setting.consumer.flow.return_value = Flow(read_bytes=1_000, runs_dry=False)
    for second in range(30):
        setting.continuities[1].next_offset = second
        assert await setting.watch(float(second), 3, 99) == []
    assert await setting.watch(31.0, 3, 99) == [(0, 7), (1, 29)]


async def test_a_missing_record_that_may_stand_behind_others_is_not_sent_to_the_end_again() -> None:
    setting = Setting()
    missing = setting.continuities[0]
    missing.judge(9, 0.0)
    setting.healer._stage.waiting.return_value = [(0, missing)]  # type: ignore[attr-defined]
    setting.healer.rewind(0)
    while setting.healer._tasks:
        await asyncio.sleep(0)
    again = []
    for second, read_bytes in ((1.0, 1_000), (9.0, 60_000_000), (10.0, 120_000_000)):
        setting.consumer.flow.return_value = Flow(read_bytes, runs_dry=False)
        setting.healer.heal(second)
        again.append(len(setting.healer._tasks))
    assert again == [0, 0, 1]


async def test_a_record_that_comes_ends_the_silence() -> None:
    setting = Setting()
    assert await setting.watch(0.0, 3, 0) == []
    assert await setting.watch(2.0, 3, 0) == [(0, 7)]
    setting.continuities[0].next_offset = 8
    assert await setting.watch(4.0, 2, 0) == []
    assert await setting.watch(6.0, 2, 0) == [(0, 8)]


async def test_where_nothing_waits_nothing_is_read_again() -> None:
    setting = Setting()
    for second in range(99):
        assert await setting.watch(float(second), 0, 0) == []


async def test_the_longest_silence_is_told() -> None:
    setting = Setting()
    await setting.watch(0.0, 3, 5)
    setting.continuities[1].next_offset = 8
    await setting.watch(1.0, 3, 4)
    assert setting.silence == Silence(0, 3, 1.0)
    await setting.watch(2.0, 0, 4)
    assert setting.silence == Silence(1, 4, 1.0)


async def test_a_missing_record_is_healed_when_it_comes_and_once() -> None:
    setting = Setting()
    await setting.watch(0.0, 3, 0)
    await setting.watch(2.0, 3, 0)
    setting.figures.rewound.assert_called_once_with()
    setting.healer.heal(2.5)
    setting.figures.healed.assert_not_called()
    setting.continuities[0].next_offset = 8
    for now in (3.0, 4.0):
        setting.healer.heal(now)
    setting.figures.healed.assert_called_once_with()
