"""The stage's lag."""

from types import SimpleNamespace
from unittest.mock import MagicMock

from faust.types import TP

from feature_stream.continuity import Continuity
from feature_stream.telling import Teller


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

    def tell(self, *offsets: int) -> dict[int, int]:
        for number, offset in enumerate(offsets):
            self.continuities[number].next_offset = offset
        return self.teller.tell(1.0)


def test_the_lag_is_that_of_all_partitions() -> None:
    setting = Setting()
    assert setting.tell(90, 95) == {0: 10, 1: 5}
    setting.figures.tell_lag.assert_called_once_with(15)


def test_while_partitions_move_between_workers_nothing_is_asked_of_the_consumer() -> None:
    setting = Setting()
    setting.stage.partitions = {}
    assert setting.tell() == {}
    setting.figures.tell_lag.assert_called_once_with(0)
