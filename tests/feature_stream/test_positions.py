"""Where a recovery begins to read, also where the changelog has lost a ticker's newest state."""

from unittest.mock import MagicMock

import pytest

from feature_stream.positions import start_positions
from feature_stream.stage import LivePartition, Stage
from feature_stream.state import TickerState
from schemas.errors import StopAndSayError
from tests.feature_stream.runs import Run


class Recovered:
    """A stage that has read back a partition of which the changelog has lost a ticker's newest state.

    Attributes:
        run: As the stage had it when it wrote the record: A and B have ticks at all offsets from 0 to 9.
    """

    def __init__(self, lost_from: int) -> None:
        self.run, old = Run(), {}
        for second in range(10):
            if second == lost_from:
                old = {t: TickerState.restore(s.snapshot()) for t, s in self.run.states.items() if t == "B"}
            self.run.send(("A", second, 100 + second, 1), ("B", second, 200 + second, 1))
        for ticker, state in self.run.states.items():
            self.run.partition.keep(ticker, state.offset)
        self.figures = MagicMock()
        self.stage = Stage(self.run.rules, MagicMock(), 0, self.figures)
        self.live = LivePartition(self.run.partition, self.run.states | old, 1)
        if lost_from == 0:
            del self.live.states["B"]
        self.stage.own(0, self.live)

    def start(self, earliest: int, end: int = 10) -> int:
        return start_positions(self.stage, self.figures, {0: earliest}, {0: end})[0]

    def lost(self) -> int:
        return sum(call.args[0] for call in self.figures.lost.call_args_list)


@pytest.mark.parametrize("earliest", [0, 2])
def test_where_the_newest_state_of_a_ticker_is_lost_the_log_is_read_again(earliest: int) -> None:
    recovered = Recovered(lost_from=4)
    assert recovered.start(earliest) == earliest
    assert recovered.live.record.kept == {"A": 9, "B": 9}
    assert recovered.live.record.rules == recovered.run.rules.kept
    assert recovered.lost() == 0


def test_a_ticker_of_which_no_state_is_left_is_made_again_from_the_whole_log() -> None:
    assert Recovered(lost_from=0).start(0) == 0


def test_a_second_recovery_in_the_middle_of_catching_up_begins_again() -> None:
    recovered = Recovered(lost_from=4)
    recovered.start(0)
    record = recovered.live.record
    record.offset, recovered.live.states["B"].offset = 6, 6
    record.keep("B", 6)
    recovered.live.continuity = None
    assert recovered.start(0) == 0


def test_lost_ticks_that_the_log_no_longer_has_are_a_loss_once_and_the_bars_open_across_it_are_partial() -> None:
    recovered = Recovered(lost_from=4)
    assert recovered.start(6) == 6
    assert recovered.lost() == 2
    assert [bar.partial for bar in recovered.live.states["B"].open_bars] == [True]
    assert [bar.partial for bar in recovered.live.states["A"].open_bars] == [False]
    recovered.live.record.offset, recovered.live.continuity = 9, None
    assert recovered.start(6) == 10


def test_states_that_are_all_there_are_read_on_from_the_record() -> None:
    recovered = Recovered(lost_from=99)
    assert recovered.start(0) == 10
    assert recovered.live.record.kept == {"A": 9, "B": 9}


def test_another_log_is_refused_before_anything_is_read_again() -> None:
    recovered = Recovered(lost_from=4)
    with pytest.raises(StopAndSayError, match="another log"):
        recovered.start(0, end=5)
