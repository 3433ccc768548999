"""How many bad inputs are borne, and that nothing of the record that brings one too many is absorbed."""

import random
from string import ascii_uppercase
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from feature_stream.continuity import Continuity
from feature_stream.flood import BadInputs, FloodBound, FloodError
from feature_stream.stage import LivePartition, Stage
from feature_stream.state import PartitionState, TickerState
from schemas.codec import encode
from schemas.events import TickFrame
from schemas.partitioning import partition_of
from tests.feature_stream.runs import frame, rules

MINUTE_MS = 60_000
#: Of two partitions, the first one's, and the other's.
_AT_HOME = next(ticker for ticker in ascii_uppercase if partition_of(ticker, 2) == 0)
_ELSEWHERE = [ticker for ticker in ascii_uppercase if partition_of(ticker, 2) == 1][:3]


class Log:
    """A partition that grows, and a stage that reads it."""

    def __init__(self, most: int, *, partitions: int = 1, early: float | None = None) -> None:
        self.most, self.rules = most, rules("1m", partitions=partitions, early=early)
        self.records: list[Any] = []
        self.record, self.states = PartitionState(0), dict[str, TickerState]()
        self.begin()

    def begin(self) -> None:
        """Start the stage where its state stands, as a restart does."""
        self.outputs = MagicMock()
        flood = FloodBound(self.most, 60.0)
        self.stage = Stage(self.rules, self.outputs, 250, MagicMock(), flood)
        record = PartitionState.restore(self.record.snapshot())
        states = {ticker: TickerState.restore(state.snapshot()) for ticker, state in self.states.items()}
        self.stage.own(0, LivePartition(record, states, 1, Continuity(record.offset + 1)))

    def append(self, value: TickFrame | bytes, at_ms: int = 0) -> None:
        data = value if isinstance(value, bytes) else encode(value)
        place = {"partition": 0, "offset": len(self.records), "timestamp": at_ms}
        self.records.append(SimpleNamespace(value=data, headers=None, key=None, **place))

    def read(self) -> None:
        """Read on to the end, and keep the state whatever happens, as a checkpoint does."""
        live = self.stage.partitions[0]
        assert live.continuity is not None
        try:
            for record in self.records[live.continuity.next_offset :]:
                self.stage.take(SimpleNamespace(message=SimpleNamespace(partition=0)), [record])
        finally:
            live.settle()
            self.record, self.states = live.record, live.states

    def letters(self) -> list[tuple[int, int | None]]:
        """Give offset and index of each dead letter of this life."""
        sent = [call.args[0] for call in self.outputs.send_dead_letter.call_args_list]
        return [(letter.offset, letter.index) for letter in sent]


def _ticks(*prices: float, seconds: float = 0.0, sequence: int = 0) -> TickFrame:
    return frame([("A", seconds, price, 1.0) for price in prices], sequence=sequence)


def test_as_many_as_the_bound_are_borne_and_one_more_is_not() -> None:
    log = Log(3)
    for _ in range(4):
        log.append(b"garbage")
    with pytest.raises(FloodError, match="more than 3 bad inputs within 60 s") as caught:
        log.read()
    assert log.letters() == [(0, None), (1, None), (2, None)]
    assert log.record.offset == 2
    assert "3 from ticks-0@0 to ticks-0@2, and 1 more in ticks-0@3" in str(caught.value)
    for word in ("TICKCAST_BAD_INPUTS_BOUND", "tickcast dead-letters", "0 for none"):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_ticks_count_one_by_one_and_of_the_frame_with_one_too_many_nothing_is_taken() -> None:
    log = Log(3)
    log.append(_ticks(1.0, -1.0, -1.0))
    log.append(_ticks(5.0, -1.0, -1.0, sequence=1))
    with pytest.raises(FloodError, match=r"2 from ticks-0@0 to ticks-0@0, and 2 more in ticks-0@1"):
        log.read()
    assert log.letters() == [(0, 1), (0, 2)]
    [bar] = log.states["A"].open_bars
    assert (bar.close, bar.tick_count, log.record.offset) == (1.0, 1, 0)


def test_ticks_of_another_partition_and_early_ones_count_before_anything_is_absorbed() -> None:
    for log in (Log(1, partitions=2), Log(1, early=10.0)):
        log.append(frame([(_AT_HOME, 0.0, 1.0, 1.0)]))
        strangers = [(ticker, 9_000.0, 1.0, 1.0) for ticker in _ELSEWHERE]
        log.append(frame([(_AT_HOME, 1.0, 2.0, 1.0), *strangers], sequence=1))
        with pytest.raises(FloodError):
            log.read()
        assert log.record.offset == 0
        assert log.letters() == []


def test_late_ticks_are_no_flood() -> None:
    log = Log(1)
    log.append(_ticks(1.0, seconds=600.0))
    log.append(_ticks(*[1.0] * 50, seconds=1.0, sequence=1))
    log.read()
    assert len(log.letters()) == 50
    assert log.record.bad_inputs == BadInputs()


def test_frames_that_came_before_are_no_flood() -> None:
    log = Log(2)
    for _ in range(5):
        log.append(_ticks(1.0, -1.0))
    log.read()
    assert log.letters() == [(0, 1)]


def test_few_bad_ones_a_window_are_borne_for_ever() -> None:
    log = Log(3)
    for minute in range(50):
        for second in (0, 20, 40):
            log.append(b"garbage", minute * MINUTE_MS + second * 1_000)
    log.read()
    assert len(log.letters()) == 150


def test_a_window_lasts_from_its_first_bad_input_on_whatever_good_ones_come_between() -> None:
    log = Log(2)
    log.append(b"garbage", 30_000)
    log.append(_ticks(1.0), 40_000)
    log.append(b"garbage", 89_000)
    log.append(b"garbage", 89_999)
    with pytest.raises(FloodError):
        log.read()
    assert log.record.bad_inputs == BadInputs(since_ms=30_000, count=2, first_offset=0, last_offset=2)


def test_another_start_stops_at_the_same_record_and_absorbs_nothing_more() -> None:
    log = Log(3)
    for number in range(9):
        log.append(b"garbage", number * 1_000)
    for _ in range(3):
        with pytest.raises(FloodError, match="1 more in ticks-0@3"):
            log.read()
        assert log.record.offset == 2
        log.begin()
    assert log.letters() == []


def test_a_higher_bound_or_none_passes_the_flood() -> None:
    log = Log(3)
    for _ in range(9):
        log.append(b"garbage")
    for most, offset in ((3, 2), (5, 4)):
        log.most = most
        log.begin()
        with pytest.raises(FloodError):
            log.read()
        assert log.record.offset == offset
    log.most = 0
    log.begin()
    log.read()
    assert log.record.offset == 8
    log.append(b"garbage")
    log.most = 3
    log.begin()
    log.read()
    assert log.record.bad_inputs.count == 1, "what was let pass does not count any more"


def test_where_it_stops_does_not_depend_on_where_it_was_started_again(rng: random.Random) -> None:
    log = Log(20)
    for number in range(300):
        prices = [rng.choice([1.0, 1.0, 1.0, -1.0]) for _ in range(rng.randrange(6))]
        bad = rng.random() < 0.05
        log.append(b"garbage" if bad else _ticks(*prices, seconds=number, sequence=number), number * 500)
    with pytest.raises(FloodError):
        log.read()
    stopped_at, bad_inputs = log.record.offset, log.record.bad_inputs
    again = Log(20)
    with pytest.raises(FloodError):  # noqa: PT012 - which step meets it is what is asked
        for record in log.records:
            again.records.append(record)
            again.read()
            if rng.random() < 0.2:
                again.begin()
    assert (again.record.offset, again.record.bad_inputs) == (stopped_at, bad_inputs)
