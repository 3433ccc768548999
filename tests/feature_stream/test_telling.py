"""The stage's lag, and a consumer that brings nothing of one partition."""

from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from faust.types import TP

from feature_stream.continuity import Continuity
from feature_stream.telling import MuteConsumerError, Teller


class Setting:
    """Two partitions of which a test moves the next offsets; the log of each ends at 100."""

    def __init__(self) -> None:
        self.continuities = {number: Continuity(0) for number in range(2)}
        partitions = {number: SimpleNamespace(continuity=held) for number, held in self.continuities.items()}
        self.stage = MagicMock(partitions=partitions)
        consumer = MagicMock()
        consumer.assignment.return_value = {TP("ticks", number) for number in range(2)}
        consumer.highwater.return_value = 100
        self.figures, self.board = MagicMock(ticks_total=0), MagicMock()
        self.teller = Teller(self.stage, self.figures, MagicMock(consumer=consumer), "ticks", self.board)

    def tell(self, now: float, *offsets: int) -> None:
        for number, offset in enumerate(offsets):
            self.continuities[number].next_offset = offset
        self.teller.tell(now, 1.0)


def test_the_lag_is_that_of_all_partitions() -> None:
    setting = Setting()
    setting.tell(0.0, 90, 95)
    setting.figures.tell_lag.assert_called_once_with(15)


def test_a_partition_that_brings_nothing_is_noticed_while_another_moves() -> None:
    setting = Setting()
    for second in range(31):
        setting.tell(float(second), 7, second)
    with pytest.raises(MuteConsumerError, match="93 records of ticks-0 wait"):
        setting.tell(31.0, 7, 31)


def test_partitions_that_move_or_wait_for_nothing_are_left_alone() -> None:
    setting = Setting()
    for second in range(99):
        setting.tell(float(second), 100, second)


def test_while_partitions_move_between_workers_nothing_is_asked_of_the_consumer() -> None:
    setting = Setting()
    setting.stage.partitions = {}
    setting.tell(0.0)
    setting.figures.tell_lag.assert_called_once_with(0)
