"""Do the intervals hold, and how wide are they beside those that never adapt?"""

import numpy as np
from msgspec import Struct

from feature_stream.uncertainty import date_means, mean_by_date
from predictor.training.backtest.tables import FloatArray, Table

#: How far coverage may be from 95 % and 99 %, and how much worse than the static interval's the score may be.
MOST_OFF_95, MOST_OFF_99, MOST_TIMES_STATIC = 0.01, 0.007, 1.15


class IntervalScore(Struct, frozen=True, kw_only=True):
    """The intervals of one level at one horizon, pooled over tickers and dates.

    Attributes:
        coverage: Of the outcomes that had an interval; its own interval at 95 % is by date.
        missing: Outcomes without an interval.
        unusable: Intervals that are infinite, or empty: not of a width above 0.
        mean_width: In log return.
        interval_score: Width + 2 / alpha times the distance from outside, in log return (Gneiting and Raftery 2007,
            equation 43); smaller is better.
        static_interval_score: On the same outcomes, of the set's own first quantile times volatility times
            sqrt(horizon), which no outcome ever widens or narrows; null where the quantile is not known.
        times_static: The one over the other.
    """

    level: float
    count: int
    missing: int
    unusable: int
    coverage: float | None
    coverage_low: float | None
    coverage_high: float | None
    mean_width: float | None
    interval_score: float | None
    static_coverage: float | None
    static_interval_score: float | None
    times_static: float | None
    holds: bool


def interval_scores(table: Table) -> list[IntervalScore]:
    """Score the intervals at 95 % and at 99 %."""
    error = np.abs(table.actual - table.predicted)
    return [
        _score(0.95, MOST_OFF_95, table, error, table.inside_95, table.half_95, table.static_95),
        _score(0.99, MOST_OFF_99, table, error, table.inside_99, table.half_99, table.static_99),
    ]


def _score(
    level: float,
    most_off: float,
    table: Table,
    error: FloatArray,
    inside: FloatArray,
    half: FloatArray,
    static: FloatArray,
) -> IntervalScore:
    known = np.isfinite(inside)
    sound = np.isfinite(half) & (half > 0)
    usable, beside = known & sound, known & sound & (static > 0)
    coverage = mean_or_none(inside[known])
    by_date = mean_by_date(date_means(table.matured_ns[known], inside[known])[1], table.horizon)
    low, high = (None, None) if by_date is None else by_date.interval()
    static_score = mean_or_none(_scores(error[beside], static[beside], 1.0 - level))
    ours = mean_or_none(_scores(error[beside], half[beside], 1.0 - level))
    times_static = None if static_score is None or ours is None else ours / static_score
    return IntervalScore(
        level=level,
        count=int(known.sum()),
        missing=int((~known).sum()),
        unusable=int((known & ~sound).sum()),
        coverage=coverage,
        coverage_low=None if low is None else max(0.0, low),
        coverage_high=None if high is None else min(1.0, high),
        mean_width=mean_or_none(2.0 * half[usable]),
        interval_score=mean_or_none(_scores(error[usable], half[usable], 1.0 - level)),
        static_coverage=mean_or_none((error[beside] <= static[beside]).astype(np.float64)),
        static_interval_score=static_score,
        times_static=times_static,
        holds=(
            coverage is not None
            and abs(coverage - level) <= most_off
            and not (known & ~sound).any()
            and (times_static is None or times_static <= MOST_TIMES_STATIC)
        ),
    )


def _scores(error: FloatArray, half: FloatArray, share_outside: float) -> FloatArray:
    return 2.0 * half + 2.0 / share_outside * np.maximum(error - half, 0.0)


def mean_or_none(values: FloatArray) -> float | None:
    """Give the mean of what is there."""
    return float(values.mean()) if len(values) else None
