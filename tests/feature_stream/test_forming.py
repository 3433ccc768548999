"""The indicators of a bar that forms are those of the bar as if it had closed."""

import random

import hypothesis.strategies as some
import pytest
from hypothesis import given

from feature_stream.indicators.forming import Forming
from feature_stream.indicators.rolling import Rolling
from feature_stream.indicators.trend import MACD_BARS
from schemas.events import PriceBar
from schemas.features import INDICATOR_NAMES


def _bar(rng: random.Random, price: float, spread: float) -> PriceBar:
    prices = [price * (1 + rng.gauss(0, spread)) for _ in range(4)]
    first, *_, last = prices
    return PriceBar(
        start_ns=0, open=first, high=max(prices), low=min(prices), close=last, volume=float(rng.randrange(1_000))
    )


def _assert_same(rolling: Rolling, bar: PriceBar) -> None:
    forming = Forming.after(rolling)
    assert forming is not None
    closed = rolling.branch()
    closed.push(bar)
    wanted = closed.indicators()
    got = forming.indicators(bar)
    assert list(got) == list(INDICATOR_NAMES)
    assert got == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("spread", [0.0, 1e-5, 0.001, 0.03])
def test_the_indicators_of_every_bar_before_it_closes_are_those_at_its_close(spread: float, seed: int) -> None:
    rng, rolling, price = random.Random(seed), Rolling(), 100.0
    for number in range(500):
        bar = _bar(rng, price, spread)
        if number >= MACD_BARS:
            _assert_same(rolling, bar)
        rolling.push(bar)
        price = bar.close


def test_a_flat_series_has_no_spread_at_all() -> None:
    rolling, bar = Rolling(), PriceBar(start_ns=0, open=7.3, high=7.3, low=7.3, close=7.3, volume=0.0)
    for _ in range(100):
        rolling.push(bar)
    forming = Forming.after(rolling)
    assert forming is not None
    indicators = forming.indicators(bar)
    assert (indicators["volatility_20"], indicators["bollinger_bandwidth"]) == (0.0, 0.0)
    assert indicators["bollinger_percent_b"] == 0.5


@pytest.mark.parametrize("bars", [0, 1, MACD_BARS - 1])
def test_too_few_bars_say_nothing_of_the_next_one(bars: int) -> None:
    rolling = Rolling()
    for _ in range(bars):
        rolling.push(_bar(random.Random(1), 100.0, 0.01))
    assert Forming.after(rolling) is None


_price = some.floats(0.01, 1e6)


@some.composite
def bars(draw: some.DrawFn) -> PriceBar:
    first, last, *others = draw(some.lists(_price, min_size=4, max_size=4))
    prices = [first, last, *others]
    volume = draw(some.sampled_from([0.0, 1.0, 1e9]))
    return PriceBar(start_ns=0, open=first, high=max(prices), low=min(prices), close=last, volume=volume)


@given(some.lists(bars(), min_size=1, max_size=5), some.lists(bars(), min_size=1, max_size=5))
def test_the_indicators_are_those_at_the_close_however_prices_jump(
    closed: list[PriceBar], forming: list[PriceBar]
) -> None:
    rolling = Rolling()
    for number in range(MACD_BARS + len(closed)):
        rolling.push(closed[number % len(closed)])
    for bar in forming:
        _assert_same(rolling, bar)
