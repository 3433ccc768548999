"""From what was said of all tickers to portfolios: of those who followed it, and of those who did not."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingestor.sources.bars import BarColumns
from predictor.training.backtest.simulate import FloatArray, Run, simulate
from predictor.training.backtest.tables import Table
from schemas.times import Interval

#: Names of what is held: the forecasts' directions, always the stock, never anything.
FORECASTS, BUY_AND_HOLD, NO_CHANGE = "forecasts", "buy_and_hold", "no_change"

_TRADING_DAYS = 252.0
_YEAR_NS = 365.25 * 86_400e9
_BASIS_POINT = 1e-4


@dataclass(frozen=True, slots=True)
class TradeRules:
    """How forecasts are followed.

    Attributes:
        cost_bps: Of the value of what is traded, each way.
        long_only: A bearish forecast is no position instead of a short one.
    """

    cost_bps: float = 5.0
    long_only: bool = False


@dataclass(frozen=True, slots=True)
class Portfolio:
    """All tickers in equal parts, made equal again at every close, which is not charged.

    Attributes:
        ends_ns: (d,) ends of the bars.
        returns: (d,) mean of the tickers' returns over each.
        traded: (d,) mean of what they traded, as a share of their equity.
    """

    ends_ns: NDArray[np.int64]
    returns: FloatArray
    traded: FloatArray

    @property
    def equity(self) -> FloatArray:
        """Give how a capital of 1 goes."""
        equity: FloatArray = np.cumprod(1.0 + self.returns, dtype=np.float64)
        return equity


def follow(table: Table, bars: Mapping[str, BarColumns], length_ns: int, rules: TradeRules) -> dict[str, Portfolio]:
    """Simulate those who follow a horizon's forecasts, and those who buy and hold, or hold nothing, meanwhile.

    A ticker's account runs from its first decision to the bar after the last one that has matured, and closes there.

    Args:
        bars: By ticker, with all that lie between.
        length_ns: Of a bar.
    """
    runs: dict[str, list[tuple[NDArray[np.int64], Run]]] = {FORECASTS: [], BUY_AND_HOLD: []}
    for ticker in np.unique(table.tickers).tolist():
        own = table.rows(table.tickers == ticker)
        span = _span(own, bars[ticker], length_ns)
        cost_share = rules.cost_bps * _BASIS_POINT
        wanted = {FORECASTS: _directions(own, span, length_ns, rules), BUY_AND_HOLD: np.ones(len(span) - 1)}
        for name, directions in wanted.items():
            run = simulate(span.open, span.close, directions, table.horizon, cost_share)
            runs[name].append((span.start_ns[1:] + length_ns, run))
    portfolios = {name: _portfolio(each) for name, each in runs.items()}
    ends_ns = portfolios[BUY_AND_HOLD].ends_ns
    nothing = np.zeros(len(ends_ns))
    return portfolios | {NO_CHANGE: Portfolio(ends_ns, nothing, nothing)}


def _span(own: Table, columns: BarColumns, length_ns: int) -> BarColumns:
    """Give a ticker's bars from its first decision's to the one in which its last decision is filled."""
    first, last = (int(each) - length_ns for each in (own.as_of_ns.min(), own.as_of_ns.max()))
    after = int(np.searchsorted(columns.start_ns, last, side="right"))
    return columns.between(first, int(columns.start_ns[after]) + 1)


def _directions(own: Table, span: BarColumns, length_ns: int, rules: TradeRules) -> FloatArray:
    """Give the decision at the close of every bar but the last; 0 where nothing was said."""
    directions = np.zeros(len(span))
    wanted = np.maximum(own.direction, 0.0) if rules.long_only else own.direction
    directions[np.searchsorted(span.start_ns, own.as_of_ns - length_ns)] = wanted
    return directions[:-1]


def _portfolio(runs: list[tuple[NDArray[np.int64], Run]]) -> Portfolio:
    ends_ns, places = np.unique(np.concatenate([ends for ends, _ in runs]), return_inverse=True)
    count = np.bincount(places, minlength=len(ends_ns))
    returns = np.bincount(places, np.concatenate([run.returns for _, run in runs]), len(ends_ns))
    traded = np.bincount(places, np.concatenate([run.traded for _, run in runs]), len(ends_ns))
    return Portfolio(ends_ns, returns / count, traded / count)


def bars_per_year(ends_ns: NDArray[np.int64], interval: Interval) -> float:
    """Give the number of bars in a year: 252 days, or as many shorter bars as the data have."""
    if interval == "1d":
        return _TRADING_DAYS
    span_ns = float(ends_ns[-1] - ends_ns[0]) if len(ends_ns) > 1 else 0.0
    return (len(ends_ns) - 1) / span_ns * _YEAR_NS if span_ns > 0 else _TRADING_DAYS
