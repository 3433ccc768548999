"""Figures against pandas, and their intervals against repeated worlds."""

import numpy as np
import pandas as pd
import pytest

from feature_stream.bootstrap import bootstrap_interval, mean_of_each
from predictor.training.backtest.figures import STATISTICS, Figure, Told, resamples_of, told_of
from predictor.training.backtest.trading import Portfolio, bars_per_year

DAY_NS = 86_400 * 10**9


def a_portfolio(seed: int, days: int = 400, mean: float = 0.0005) -> Portfolio:
    random = np.random.default_rng(seed)
    ends_ns = np.arange(1, days + 1, dtype=np.int64) * DAY_NS
    return Portfolio(ends_ns, random.normal(mean, 0.01, days), random.uniform(0, 0.5, days))


def told(portfolio: Portfolio, horizon: int = 1) -> Told:
    return told_of(portfolio, 252.0, resamples_of(len(portfolio.returns), horizon, 7))


def figures_of(portfolio: Portfolio, horizon: int = 1) -> dict[str, Figure]:
    return told(portfolio, horizon).figures()


def test_every_figure_is_that_of_pandas() -> None:
    portfolio = a_portfolio(1)
    returns = pd.Series(portfolio.returns)
    equity = (1 + returns).cumprod()
    from_start = pd.concat([pd.Series([1.0]), equity], ignore_index=True)
    expected = {
        "total_return": equity.iloc[-1] - 1,
        "annual_return": equity.iloc[-1] ** (252 / 400) - 1,
        "sharpe": returns.mean() / returns.std() * 252**0.5,
        "sortino": returns.mean() / ((returns.clip(upper=0) ** 2).mean() ** 0.5) * 252**0.5,
        "maximal_drawdown": -(from_start / from_start.cummax() - 1).min(),
        "turnover": float(portfolio.traded.mean()) * 252,
    }
    figures = figures_of(portfolio)
    assert list(figures) == list(STATISTICS)
    for name, value in expected.items():
        assert figures[name].value == pytest.approx(value, rel=1e-12), name


def test_a_loss_from_the_start_is_a_drawdown() -> None:
    ends_ns = np.arange(1, 4, dtype=np.int64) * DAY_NS
    figures = figures_of(Portfolio(ends_ns, np.array([-0.5, 0.1, 0.1]), np.zeros(3)))
    assert figures["maximal_drawdown"].value == pytest.approx(0.5)


def test_an_interval_holds_the_figure_and_widens_with_fewer_dates() -> None:
    many, few = (figures_of(a_portfolio(2, days))["sharpe"] for days in (1_600, 250))
    for figure in (many, few):
        assert figure.low is not None
        assert figure.high is not None
        assert figure.value is not None
        assert figure.low < figure.value < figure.high
    assert few.high - few.low > 1.5 * (many.high - many.low)  # type: ignore[operator]


@pytest.mark.parametrize("horizon", [1, 21])
def test_an_interval_is_that_of_the_bootstrap_of_the_boards(horizon: int) -> None:
    portfolio = a_portfolio(5, 600)
    turnover = figures_of(portfolio, horizon)["turnover"]
    expected = bootstrap_interval(252.0 * portfolio.traded, horizon, seed=7, statistic=mean_of_each)
    assert (turnover.low, turnover.high) == pytest.approx(expected)


def test_too_few_dates_and_no_position_have_no_interval() -> None:
    short = figures_of(a_portfolio(3, 199))
    assert all(figure.low is None for figure in short.values())
    assert short["sharpe"].value is not None
    assert all(each.low is None for each in figures_of(a_portfolio(3, 480), 21).values())
    nothing = Portfolio(np.arange(300, dtype=np.int64), np.zeros(300), np.zeros(300))
    figures = figures_of(nothing)
    assert (figures["total_return"].value, figures["sharpe"].value, figures["sharpe"].low) == (0.0, None, None)


def test_a_difference_is_paired_so_that_the_common_market_falls_out() -> None:
    market = a_portfolio(4)
    ours = Portfolio(market.ends_ns, market.returns + 0.0001, market.traded)
    alone = figures_of(ours)["sharpe"]
    beside = told(ours).less(told(market)).figures()["sharpe"]
    assert beside.low is not None
    assert beside.high is not None
    assert beside.low > 0
    assert beside.high - beside.low < 0.1 * (alone.high - alone.low)  # type: ignore[operator]


def test_a_year_has_252_days_and_as_many_shorter_bars_as_the_data_have() -> None:
    days = np.arange(10, dtype=np.int64) * DAY_NS
    assert bars_per_year(days, "1d") == 252.0
    hours = np.arange(0, 1_000, dtype=np.int64) * (DAY_NS // 24)
    assert bars_per_year(hours, "1h") == pytest.approx(24 * 365.25)
