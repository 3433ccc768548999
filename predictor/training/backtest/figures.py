"""Returns to the figures that people ask for, and how sure they are: intervals by the stationary bootstrap of dates."""

import math
from collections.abc import Callable

import numpy as np
from msgspec import Struct

from feature_stream.bootstrap import bootstrap_interval
from predictor.training.backtest.trading import FloatArray, Portfolio

#: Of (rows, n) returns and as much traded, with so many bars a year: a figure of each row.
Statistic = Callable[[FloatArray, FloatArray, float], FloatArray]

_RESAMPLES, _LEAST_RESAMPLES = 2_000, 200
#: Numbers in one array of the bootstrap, about: a year of minutes must fit into memory.
_MOST_NUMBERS = 8_000_000


class Figure(Struct, frozen=True):
    """A figure, and its interval at 95 %; null where it cannot be told."""

    value: float | None
    low: float | None = None
    high: float | None = None


def total_return(returns: FloatArray, _traded: FloatArray, _per_year: float) -> FloatArray:
    """Give what a capital of 1 gained."""
    gained: FloatArray = np.prod(1.0 + returns, axis=1) - 1.0
    return gained


def annual_return(returns: FloatArray, traded: FloatArray, per_year: float) -> FloatArray:
    """Give the yearly return that, compounded, leads to the total one."""
    grown = np.maximum(1.0 + total_return(returns, traded, per_year), 0.0)
    yearly: FloatArray = grown ** (per_year / returns.shape[1]) - 1.0
    return yearly


def sharpe(returns: FloatArray, _traded: FloatArray, per_year: float) -> FloatArray:
    """Give mean over standard deviation, a year; cash earns nothing (Sharpe 1994, The Sharpe ratio)."""
    return _ratio(returns.mean(axis=1), returns.std(axis=1, ddof=1), per_year)


def sortino(returns: FloatArray, _traded: FloatArray, per_year: float) -> FloatArray:
    """Give mean over downside deviation from 0, a year (Sortino and Price 1994, Performance measurement)."""
    below = np.sqrt(np.mean(np.square(np.minimum(returns, 0.0)), axis=1))
    return _ratio(returns.mean(axis=1), below, per_year)


def _ratio(means: FloatArray, deviations: FloatArray, per_year: float) -> FloatArray:
    ratios = np.divide(means, deviations, out=np.full_like(means, np.nan), where=deviations > 0)
    return ratios * math.sqrt(per_year)


def maximal_drawdown(returns: FloatArray, _traded: FloatArray, _per_year: float) -> FloatArray:
    """Give the largest loss from a highest equity so far, the start included, as a share of it."""
    equity = np.cumprod(1.0 + returns, axis=1)
    highest = np.maximum(np.maximum.accumulate(equity, axis=1), 1.0)
    deepest: FloatArray = (1.0 - equity / highest).max(axis=1)
    return deepest


def turnover(_returns: FloatArray, traded: FloatArray, per_year: float) -> FloatArray:
    """Give how many times the equity is traded in a year, bought and sold counted alike."""
    yearly: FloatArray = traded.mean(axis=1) * per_year
    return yearly


STATISTICS: dict[str, Statistic] = {
    "total_return": total_return,
    "annual_return": annual_return,
    "sharpe": sharpe,
    "sortino": sortino,
    "maximal_drawdown": maximal_drawdown,
    "turnover": turnover,
}


def figures_of(portfolio: Portfolio, horizon: int, per_year: float, seed: int) -> dict[str, Figure]:
    """Give all figures of a portfolio."""
    return {name: _figure(statistic, [portfolio], horizon, per_year, seed) for name, statistic in STATISTICS.items()}


def differences_of(ours: Portfolio, theirs: Portfolio, horizon: int, per_year: float, seed: int) -> dict[str, Figure]:
    """Give ours less theirs, on the very same dates in every resample."""
    return {name: _figure(statistic, [ours, theirs], horizon, per_year, seed) for name, statistic in STATISTICS.items()}


def _figure(statistic: Statistic, portfolios: list[Portfolio], horizon: int, per_year: float, seed: int) -> Figure:
    """Give a figure of one portfolio, or the first one's less the second's."""
    n = len(portfolios[0].returns)

    def of_places(drawn: FloatArray) -> FloatArray:
        places = drawn.astype(np.int64)
        first, *rest = (statistic(each.returns[places], each.traded[places], per_year) for each in portfolios)
        return first - rest[0] if rest else first

    if n < 2:
        return Figure(None)
    places = np.arange(n, dtype=np.float64)
    value = float(of_places(places[None])[0])
    if not math.isfinite(value):
        return Figure(None)
    resamples = max(_LEAST_RESAMPLES, min(_RESAMPLES, _MOST_NUMBERS // n))
    bounds = bootstrap_interval(places, horizon, seed=seed, resamples=resamples, statistic=of_places)
    return Figure(value, *bounds) if bounds is not None else Figure(value)
