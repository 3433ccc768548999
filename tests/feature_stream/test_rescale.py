"""After a split the state goes on as if prices had always been on the new scale, and nothing looks like a crash."""

import random

import msgspec
import pytest

from feature_stream.frames import bad_tick_value, read_frame
from schemas.codec import UndecodableError, encode
from schemas.events import Bar, Prediction, TickFrame
from tests.feature_stream.runs import Run, Tick, frame, rules
from tests.feature_stream.settling import Settling, bar, prediction, price_of
from tests.feature_stream.test_quiet_lane import Fast

_BARS = 120
#: In the midst of a bar, at a power of two: all prices are exact on both scales.
_SPLIT_AT, _FACTOR = 83, 0.25


def _walk(factor: float) -> list[list[Tick]]:
    """Give eight ticks a second of two tickers, with their prices on a scale."""
    draw, price = random.Random(7), 400.0
    seconds = []
    for second in range(_BARS):
        ticks: list[Tick] = []
        for eighth in range(8):
            price *= 1 + draw.uniform(-0.01, 0.01)
            ticks.append(("A", second + eighth / 8, price * factor, 8 / factor))
            ticks.append(("B", second + eighth / 8, price, 8.0))
        seconds.append(ticks)
    return seconds


def _frames(*, split: bool) -> list[TickFrame]:
    """Give a frame a half second; the split, if there is one, has a frame of its own between two halves of a bar."""
    halves = [ticks[at : at + 8] for ticks in _walk(_FACTOR) for at in (0, 8)]
    if split:
        raw = [ticks[at : at + 8] for ticks in _walk(1.0) for at in (0, 8)]
        at = 2 * _SPLIT_AT + 1
        before = [frame(ticks, sequence=number) for number, ticks in enumerate(raw[:at])]
        told = msgspec.structs.replace(frame(sequence=at), rescaled={"A": _FACTOR, "elsewhere": 3.0})
        return [*before, told, *(frame(ticks, sequence=at + 1 + n) for n, ticks in enumerate(halves[at:]))]
    return [frame(ticks, sequence=number) for number, ticks in enumerate(halves)]


@pytest.mark.parametrize("kind", [Run, Fast])
def test_after_a_split_all_is_as_if_prices_had_always_been_on_its_scale(kind: type[Run]) -> None:
    split, always = kind(rules("1s")), kind(rules("1s"))
    for one in _frames(split=True):
        split.take(one)
        if one.rescaled:
            split.take(one)  # the same sequence again, as after a restart
            if kind is Run:
                split.through_snapshots()
    for one in _frames(split=False):
        always.take(one)
    own, wanted = ([made for made in run.features if made.ticker == "A"] for run in (split, always))
    for made, right in zip(own[_SPLIT_AT:], wanted[_SPLIT_AT:], strict=True):
        assert (made.indicators, made.model_inputs, made.sequence) == (
            right.indicators,
            right.model_inputs,
            right.sequence,
        )
        assert (made.bar.open, made.bar.low, made.bar.volume) == (right.bar.open, right.bar.low, right.bar.volume)
    assert split.features[-1].model_inputs
    assert [bar.rescaled for bar in split.bars if bar.ticker == "A" and bar.rescaled != 1.0] == [_FACTOR]
    [told] = [bar for bar in split.bars if bar.rescaled != 1.0]
    assert told.bar_index == _SPLIT_AT + 1
    others = [[made.indicators for made in run.features if made.ticker == "B"] for run in (split, always)]
    assert others[0] == others[1]
    if isinstance(split, Fast):
        assert split.quiet_frames > 0


def test_a_factor_that_is_none_is_refused_and_a_dead_letter_does_not_split_again() -> None:
    good = msgspec.structs.replace(frame([("A", 1, 10, 1), ("?", 1, 10, 1)]), rescaled={"A": 0.5})
    checked = read_frame(encode(good))
    assert checked.frame.rescaled == {"A": 0.5}
    assert msgspec.json.decode(bad_tick_value(checked, 1), type=TickFrame).rescaled == {}
    for factor in (0.0, -2.0, 1e9):
        with pytest.raises(UndecodableError, match="no split is like that"):
            read_frame(encode(msgspec.structs.replace(good, rescaled={"A": factor})))


@pytest.mark.parametrize("late", [False, True])
def test_an_outcome_across_a_split_is_that_of_an_undisturbed_series(*, late: bool) -> None:
    factor = 0.125
    split, always = Settling(), Settling()
    for run, scale in ((split, factor), (always, 1.0)):
        bars = [bar(n) if n < 4 else bar(n, close=price_of(n) * scale) for n in range(1, 9)]
        bars[3] = msgspec.structs.replace(bars[3], rescaled=scale)
        told = prediction(2, horizons=(1, 5))
        log: list[Bar | Prediction] = [*bars, told] if late else [*bars[:2], told, *bars[2:]]
        for event in log:
            run.take(event)
    assert len(split.said) == 2
    for name, outcome in split.said.items():
        wanted = always.said[name]
        across = outcome["horizon"] == 5
        assert outcome["start_price"] == wanted["start_price"] * (factor if across else 1.0)
        assert {**outcome, "start_price": 0} == {**wanted, "start_price": 0}
