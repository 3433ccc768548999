"""The trading rule, against numbers by hand, a slow reference, and what must always hold."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.training.backtest.simulate import FloatArray, simulate


@dataclass(frozen=True)
class Market:
    opens: FloatArray
    closes: FloatArray
    directions: FloatArray


def a_market(seed: int, bars: int) -> Market:
    random = np.random.default_rng(seed)
    closes = 50.0 * np.exp(np.cumsum(random.normal(0, 0.03, bars)))
    opens = closes * np.exp(random.normal(0, 0.02, bars))
    return Market(opens, closes, random.choice([-1.0, 0.0, 1.0], bars - 1))


def slow_sleeve(market: Market, sleeve: int, horizon: int, cost_share: float) -> list[float]:
    """Follow one sleeve, as a book-keeper would."""
    cash, shares, equities = 1.0 / horizon, 0.0, []
    for fill in range(1, len(market.opens)):
        if fill == 1 or (fill - 1) % horizon == sleeve:
            price = market.opens[fill]
            equity = max(cash + shares * price, 0.0)
            wanted = market.directions[fill - 1] * equity
            equity = max(equity - cost_share * abs(wanted - shares * price), 0.0)
            shares = market.directions[fill - 1] * equity / price
            cash = equity - shares * price
        if cash + shares * market.closes[fill] <= 0:
            cash = shares = 0.0
        equities.append(cash + shares * market.closes[fill])
    return equities


def test_long_short_and_out_at_one_percent_is_as_computed_by_hand() -> None:
    opens, closes = np.array([9.0, 10.0, 12.0, 11.0]), np.array([9.0, 11.0, 12.0, 10.0])
    run = simulate(opens, closes, np.array([1.0, -1.0, 0.0]), 1, cost_share=0.01)
    # 0.99 / 10 shares at 11; at 12 from 1.188 long to short, 2.376 traded; at 11 all bought back, 1.06722 traded.
    assert run.equity.tolist() == pytest.approx([1.089, 1.16424, 1.2505878])
    assert run.traded.tolist() == pytest.approx([1.0, 2.0, 1.06722 / 1.26126])
    assert run.returns.tolist() == pytest.approx([0.089, 1.16424 / 1.089 - 1, 1.2505878 / 1.16424 - 1])


def test_two_sleeves_have_their_turns_one_after_the_other() -> None:
    opens, closes = np.array([1.0, 1.0, 2.0, 2.0, 4.0]), np.array([1.0, 2.0, 2.0, 4.0, 4.0])
    run = simulate(opens, closes, np.array([1.0, 0.0, 1.0, 0.0]), 2)
    # Both are long from 1; the second is out at 2, the first goes on; then the second stays out at its next turn at 4.
    assert run.sleeves[0].tolist() == pytest.approx([1.0, 1.0, 2.0, 2.0])
    assert run.sleeves[1].tolist() == pytest.approx([1.0, 1.0, 1.0, 1.0])


@given(st.integers(0, 10_000), st.integers(2, 60), st.sampled_from([1, 2, 5, 21]), st.sampled_from([0.0, 0.0005, 0.01]))
def test_sleeves_are_those_of_a_book_keeper_and_add_up(seed: int, bars: int, horizon: int, cost_share: float) -> None:
    market = a_market(seed, bars)
    run = simulate(market.opens, market.closes, market.directions, horizon, cost_share)
    expected = np.array([slow_sleeve(market, sleeve, horizon, cost_share) for sleeve in range(horizon)])
    assert np.allclose(run.sleeves, expected, rtol=1e-12)
    assert np.allclose(run.equity, expected.sum(axis=0), rtol=1e-12)
    assert np.allclose(np.cumprod(1 + run.returns), run.equity, rtol=1e-10)


@given(st.integers(0, 10_000), st.integers(2, 60), st.sampled_from([1, 5, 21]))
def test_always_long_without_costs_is_to_buy_and_hold_from_the_first_open(seed: int, bars: int, horizon: int) -> None:
    market = a_market(seed, bars)
    run = simulate(market.opens, market.closes, np.ones(bars - 1), horizon)
    assert np.allclose(run.equity, market.closes[1:] / market.opens[1], rtol=1e-12)
    assert np.allclose(run.traded[1:], 0.0, atol=1e-12)
    charged = simulate(market.opens, market.closes, np.ones(bars - 1), horizon, 0.01)
    assert np.allclose(charged.equity, 0.99 * run.equity, rtol=1e-9)


@given(st.integers(0, 10_000), st.integers(3, 60), st.sampled_from([1, 5, 21]), st.data())
def test_what_comes_later_changes_nothing_before(seed: int, bars: int, horizon: int, data: st.DataObject) -> None:
    bar = data.draw(st.integers(1, bars - 1), "the bar from which all is different")
    market, other = a_market(seed, bars), a_market(seed + 1, bars)
    opens = np.concatenate([market.opens[:bar], other.opens[bar:]])
    closes = np.concatenate([market.closes[:bar], other.closes[bar:]])
    # The decision at the close before the bar is filled in it: it belongs to what is known.
    directions = np.concatenate([market.directions[:bar], other.directions[bar:]])
    run = simulate(market.opens, market.closes, market.directions, horizon, 0.001)
    changed = simulate(opens, closes, directions, horizon, 0.001)
    assert np.array_equal(run.sleeves[:, : bar - 1], changed.sleeves[:, : bar - 1])
    assert np.array_equal(run.traded[: bar - 1], changed.traded[: bar - 1])


def test_a_short_position_that_lost_everything_stays_lost() -> None:
    opens, closes = np.array([1.0, 1.0, 3.0, 0.1]), np.array([1.0, 3.0, 3.0, 0.1])
    run = simulate(opens, closes, np.array([-1.0, -1.0, 1.0]), 1)
    assert run.equity.tolist() == [0.0, 0.0, 0.0]
    assert run.returns.tolist() == [-1.0, 0.0, 0.0]


def test_no_position_earns_nothing_and_costs_nothing() -> None:
    market = a_market(1, 30)
    run = simulate(market.opens, market.closes, np.zeros(29), 5, 0.01)
    assert np.allclose(run.equity, 1.0)
    assert not run.traded.any()


def test_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        simulate(np.ones(3), np.ones(3), np.ones(3), 1)
