"""Accuracy over time, and by ticker and year."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from predictor.training.backtest.coverage import mean_or_none
from predictor.training.backtest.errors import ratio_of
from predictor.training.backtest.tables import Table
from schemas.times import NS_PER_SECOND, to_rfc3339

#: Parts of the span that are shown one after the other, at most, and the dates that each has, at least.
STRETCHES, LEAST_DATES = 12, 20


class Stretch(Struct, frozen=True, kw_only=True):
    """Outcomes of neighbouring dates; shares are of outcomes, not averaged by date."""

    start: str
    end: str
    count: int
    error_ratio: float | None
    hit_rate: float | None
    usual_hit_rate: float | None
    coverage_95: float | None
    coverage_99: float | None


class TickerYear(Struct, frozen=True, kw_only=True):
    """Outcomes of one ticker whose horizon ended in one year."""

    ticker: str
    year: int
    count: int
    error_ratio: float | None
    hit_rate: float | None
    coverage_95: float | None
    coverage_99: float | None


def stretches_of(table: Table) -> list[Stretch]:
    """Cut the dates into stretches of about equal length."""
    dates = np.unique(table.matured_ns)
    parts = np.array_split(dates, max(1, min(STRETCHES, len(dates) // LEAST_DATES)))
    return [_stretch(table.rows(_between(table.matured_ns, part)), part) for part in parts if len(part)]


def _between(times_ns: NDArray[np.int64], part: NDArray[np.int64]) -> NDArray[np.bool_]:
    between: NDArray[np.bool_] = (times_ns >= part[0]) & (times_ns <= part[-1])
    return between


def _stretch(own: Table, part: NDArray[np.int64]) -> Stretch:
    trials = own.rows(np.isfinite(own.hit) & (own.usual != 0))
    usual_hits = (trials.usual == np.sign(trials.actual)).astype(np.float64)
    return Stretch(
        start=to_rfc3339(int(part[0])),
        end=to_rfc3339(int(part[-1])),
        count=len(own),
        error_ratio=_ratio(own),
        hit_rate=mean_or_none(own.hit[np.isfinite(own.hit)]),
        usual_hit_rate=mean_or_none(usual_hits),
        coverage_95=mean_or_none(own.inside_95[np.isfinite(own.inside_95)]),
        coverage_99=mean_or_none(own.inside_99[np.isfinite(own.inside_99)]),
    )


def ticker_years(table: Table) -> list[TickerYear]:
    """Give the outcomes by ticker and year."""
    years = np.array([_year(time_ns) for time_ns in table.matured_ns.tolist()])
    return list(_by_ticker_and_year(table, years))


def _by_ticker_and_year(table: Table, years: NDArray[np.int64]) -> Iterator[TickerYear]:
    for ticker in np.unique(table.tickers).tolist():
        for year in np.unique(years[table.tickers == ticker]).tolist():
            own = table.rows((table.tickers == ticker) & (years == year))
            yield TickerYear(
                ticker=ticker,
                year=year,
                count=len(own),
                error_ratio=_ratio(own),
                hit_rate=mean_or_none(own.hit[np.isfinite(own.hit)]),
                coverage_95=mean_or_none(own.inside_95[np.isfinite(own.inside_95)]),
                coverage_99=mean_or_none(own.inside_99[np.isfinite(own.inside_99)]),
            )


def _year(time_ns: int) -> int:
    """Give the year of the last moment before a bar's end: a bar that ends at midnight is of the day before."""
    return datetime.fromtimestamp((time_ns - 1) // NS_PER_SECOND, UTC).year


def _ratio(own: Table) -> float | None:
    return ratio_of(np.square(own.actual - own.predicted), np.square(own.actual))
