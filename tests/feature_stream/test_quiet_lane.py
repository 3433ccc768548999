"""The fast way says what the slow one says, whatever the log."""

import random
from itertools import accumulate

import hypothesis.strategies as some
import numpy as np
import pytest
from hypothesis import given, settings

from feature_stream.advance import Absorbed, absorb
from feature_stream.frames import CheckedFrame, read_frame
from feature_stream.quiet_lane import QuietLane
from feature_stream.state import PartitionState, TickerState
from feature_stream.tick_columns import LEAST_TICKS, TickColumns
from feature_stream.ticks import Reason
from schemas.codec import encode
from schemas.events import Origin, TickFrame
from tests.feature_stream.runs import Run, Tick, frame, rules

STEPS = [0.0, 0.0, 0.01, 0.02, 0.02, 0.03, 0.05, 0.1, -0.02, -0.3, 0.9, 3.0]


class Fast(Run):
    """A run by the lane, which counts the frames that it took."""

    lane: QuietLane | None = None
    quiet_frames = 0

    def take(self, tick_frame: CheckedFrame | TickFrame, offset: int | None = None, now_ns: int = 0) -> Absorbed:
        self.lane = self.lane or QuietLane(self.states, least_ticks=1)
        offset = self.partition.offset + 1 if offset is None else offset
        out = absorb(self.partition, self.states, tick_frame, offset, self.rules, now_ns, self.lane)
        self.quiet_frames += out.ticks_absorbed > 0 and not out.touched
        self.bars += out.bars
        self.features += out.features
        self.bad += [(offset, bad.index, bad.reason) for bad in out.bad]
        return out


@some.composite
def logs(draw: some.DrawFn) -> list[TickFrame]:
    """Frames of two sources, most of them quiet, with late ticks, watermarks, repeats and losses among them."""
    frames: list[TickFrame] = []
    sequences = {"one": 0, "two": 0}
    time = 10.0
    for _ in range(draw(some.integers(1, 25))):
        moves = draw(some.lists(some.sampled_from(STEPS), max_size=8))
        ticks: list[Tick] = [
            (draw(some.sampled_from("ABCD")), at, float(draw(some.integers(90, 110))), float(draw(some.integers(0, 3))))
            for at in accumulate(moves, initial=time)
        ][1:]
        time += sum(moves)
        source = draw(some.sampled_from(["one", "one", "one", "two"]))
        sequences[source] += draw(some.sampled_from([1, 1, 1, 1, 2]))
        made = frame(
            ticks,
            sequence=sequences[source],
            source=source,
            watermark=draw(some.none() | some.just(time) | some.just(time + 1)),
            origin=draw(some.sampled_from([Origin.NORMAL, Origin.NORMAL, Origin.FILLED])),
            ingested_at_ns=len(frames),
        )
        frames.append(made)
        if draw(some.integers(0, 9)) == 0:
            frames.append(draw(some.sampled_from(frames)))
    return frames


rule_sets = some.builds(
    rules, some.just("1s"), lateness=some.sampled_from([0.0, 0.5]), early=some.sampled_from([None, 1.0])
)


def _same(fast: Run, slow: Run) -> None:
    assert fast.bars == slow.bars
    assert fast.features == slow.features
    assert fast.bad == slow.bad
    assert fast.partition == slow.partition
    assert {name: state.snapshot() for name, state in fast.states.items()} == {
        name: state.snapshot() for name, state in slow.states.items()
    }


@given(logs(), rule_sets, some.data())
@settings(max_examples=200)
def test_with_the_lane_and_without_the_same_is_said_and_kept(
    log: list[TickFrame], made: object, data: some.DataObject
) -> None:
    fast, slow = Fast(made), Run(made)  # type: ignore[arg-type]
    for one in log:
        quick, absorbed = fast.take(one), slow.take(one)
        assert quick.ticks_absorbed == absorbed.ticks_absorbed
        assert fast.lane is not None
        for ticker in data.draw(some.lists(some.sampled_from(absorbed.touched or ["-"]), max_size=2)):
            if ticker in slow.states:
                fast.lane.settle([ticker])
                assert fast.speak(ticker) == slow.speak(ticker)
        if data.draw(some.integers(0, 4)) == 0:
            fast.lane.settle_all()
            _same(fast, slow)
    assert fast.lane is not None
    fast.lane.settle_all()
    _same(fast, slow)


def _busy_market(seed: int, frames: int, tickers: int) -> list[TickFrame]:
    rng = random.Random(seed)
    made, time = [], 0.0
    for number in range(frames):
        ticks: list[Tick] = []
        for _ in range(100):
            time += 0.0003
            ticks.append((f"T{rng.randrange(tickers)}", time, round(rng.uniform(90, 110), 2), rng.randrange(100)))
        made.append(frame(ticks, sequence=number, watermark=time, ingested_at_ns=number))
    return made


def test_a_busy_market_goes_the_fast_way_and_says_the_same(seed: int) -> None:
    fast, slow = Fast(rules("1s")), Run(rules("1s"))
    touched: list[str] = []
    for one in _busy_market(seed, frames=400, tickers=150):
        fast.take(read_frame(encode(one)))
        assert fast.lane is not None
        touched += fast.lane.take_touched()
        slow.take(one)
    assert fast.lane is not None
    fast.lane.settle_all()
    _same(fast, slow)
    assert len(slow.bars) > 10 * 150
    assert fast.quiet_frames > 200
    assert set(touched) == set(slow.states)


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (
            [
                frame([("A", 0.1, 1, 1)], source="two"),
                frame(source="one", watermark=120),
                frame([("A", 0.2, 1, 1)], sequence=1, source="one"),
            ],
            Reason.LATE,
        ),
        ([frame([("A", 0.1, 1, 1)]), frame([("A", 5, 1, 1)], sequence=1)], Reason.EARLY),
    ],
    ids=["behind its own source's watermark", "far ahead of its source"],
)
def test_a_tick_that_only_its_source_makes_bad_is_not_quiet(log: list[TickFrame], reason: Reason) -> None:
    fast = Fast(rules("1m", early=2.0))
    for one in log:
        fast.take(one)
    assert [bad[2] for bad in fast.bad] == [reason]


def test_what_it_took_is_told_once_to_each_asker() -> None:
    fast = Fast(rules("1s"))
    fast.take(frame([("A", 0, 1, 1), ("B", 0, 1, 1)]))
    fast.take(frame([("B", 0.1, 2, 1)], sequence=1))
    lane = fast.lane
    assert lane is not None
    assert lane.take_touched() == ["B"]
    assert lane.take_touched() == []
    assert lane.take_dirty() == ["B"]
    assert fast.states["B"].open_bars[0].close == 1.0
    lane.settle(["A", "B", "C"])
    assert fast.states["B"].open_bars[0].close == 2.0


def test_frames_that_a_state_has_absorbed_before_go_the_slow_way() -> None:
    partition, states = PartitionState(0), {"A": TickerState("A")}
    run = Run(rules("1s"), partition, states)
    frames = [frame([("A", number / 10, 1, 1)], sequence=number) for number in range(4)]
    for one in frames:
        run.take(one)
    again = Fast(rules("1s"), PartitionState(0), states)
    for one in frames:
        again.take(one)
    assert again.quiet_frames == 0
    assert states["A"].open_bars[0].tick_count == 4


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"prices": [-1.0]}, Reason.PRICE),
        ({"sizes": [-1.0]}, Reason.SIZE),
        ({"times_ns": [2**63]}, Reason.TIME),
        ({"times_ns": [-(2**62)]}, Reason.TIME),
        ({"tickers": ["no symbol"]}, Reason.TICKER),
    ],
)
def test_one_unsound_tick_of_a_large_frame_is_found(change: dict[str, list[object]], reason: Reason) -> None:
    made = frame([("A", number / 100, 1, 1) for number in range(LEAST_TICKS)])
    [(name, [value])] = change.items()
    getattr(made, name)[7] = value
    checked = read_frame(encode(made))
    assert [(bad.index, bad.reason) for bad in checked.bad] == [(7, reason)]
    assert len(checked.frame.tickers) == LEAST_TICKS - 1


def test_the_order_within_each_ticker_is_what_counts() -> None:
    made = frame([("A", 3, 1, 1), ("B", 1, 1, 1), ("B", 2, 1, 1), ("A", 3, 1, 1)])
    assert TickColumns.of(made).in_order(np.array([0, 1, 1, 0]))
    assert not TickColumns.of(made).in_order(np.array([0, 1, 0, 0]))
