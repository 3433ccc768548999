"""Returns to the figures that people ask for, and how sure they are: intervals by the stationary bootstrap of dates."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from feature_stream.bootstrap import stationary_indices
from feature_stream.uncertainty import lags_of, least_dates
from predictor.training.backtest.simulate import FloatArray
from predictor.training.backtest.trading import Portfolio

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
    return _ratio(returns.mean(axis=1), _deviations(returns), per_year)


def _deviations(returns: FloatArray) -> FloatArray:
    return returns.std(axis=1, ddof=1) if returns.shape[1] > 1 else np.zeros(len(returns))


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


@dataclass(frozen=True, slots=True)
class Told:
    """The figures of a portfolio, by name, and those of its resamples.

    Attributes:
        values: NaN where there is none.
        drawn: (resamples,) each; None with too few dates.
    """

    values: dict[str, float]
    drawn: dict[str, FloatArray] | None

    def less(self, other: "Told") -> "Told":
        """Give the differences: of the same resamples, so that what both share falls out."""
        values = {name: value - other.values[name] for name, value in self.values.items()}
        if self.drawn is None or other.drawn is None:
            return Told(values, None)
        return Told(values, {name: drawn - other.drawn[name] for name, drawn in self.drawn.items()})

    def figures(self) -> dict[str, Figure]:
        """Give them with their intervals."""
        return {name: self._figure(name) for name in self.values}

    def _figure(self, name: str) -> Figure:
        value = self.values[name]
        if not math.isfinite(value):
            return Figure(None)
        drawn = None if self.drawn is None else self.drawn[name]
        if drawn is None or not (np.isfinite(drawn).all() and np.ptp(drawn) > 0.0):
            return Figure(value)
        low, high = np.quantile(drawn, [0.025, 0.975])
        return Figure(value, float(low), float(high))


def resamples_of(dates: int, horizon: int, seed: int) -> NDArray[np.int64] | None:
    """Draw dates for the intervals, (resamples, dates), with blocks of max(10, 2h) dates on average; None: too few.

    As in `feature_stream.bootstrap.bootstrap_interval`, but once for all figures.
    """
    if dates < least_dates(horizon):
        return None
    resamples = max(_LEAST_RESAMPLES, min(_RESAMPLES, _MOST_NUMBERS // dates))
    return stationary_indices(dates, lags_of(horizon), resamples, seed)


def told_of(portfolio: Portfolio, per_year: float, places: NDArray[np.int64] | None) -> Told:
    """Give the figures of a portfolio and of its resamples."""
    whole = _statistics(portfolio, np.arange(len(portfolio.returns))[None], per_year)
    values = {name: float(values[0]) for name, values in whole.items()}
    return Told(values, None if places is None else _statistics(portfolio, places, per_year))


def _statistics(portfolio: Portfolio, places: NDArray[np.int64], per_year: float) -> dict[str, FloatArray]:
    returns, traded = portfolio.returns[places], portfolio.traded[places]
    return {name: statistic(returns, traded, per_year) for name, statistic in STATISTICS.items()}
