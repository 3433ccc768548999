"""Accuracy week by week, from recorded outcomes. Pure."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Annotated, Literal

from msgspec import Meta, Struct

from feature_stream.uncertainty import mean_by_date
from gateway.accuracy import NOTHING_YET
from gateway.database.outcomes import DateSums, Sums, share
from gateway.presentation import time_text
from schemas.json_schemas import TICKER_OR_ALL_PATTERN
from schemas.public import Integer, Time
from schemas.times import NS_PER_SECOND, Interval

DAY_NS = 86_400 * NS_PER_SECOND
WEEK_NS = 7 * DAY_NS
#: 1970-01-01 was a Thursday.
_FIRST_MONDAY_NS = 4 * DAY_NS


class PeriodHorizon(Struct, frozen=True, kw_only=True):
    """Accuracy of one horizon over what matured in a time; `docs/scores.md` defines each number.

    Attributes:
        count: Predictions that matured.
        dates: Different times at which they did: predictions of one date share their shocks.
        trials: Of the direction: predictions that had one, of prices that moved.
        hit_rate: Share of right directions, by date, with its interval at 95 %; null limits: too few dates to tell.
        baseline_hit_rate: Of the direction that was more frequent before training, on the same trials.
        hit_rate_difference: The hit rate less the baseline's, with its interval at 95 %: above 0 there is skill.
        mean_absolute_error: In log return.
        baseline_mean_absolute_error: Of no change.
        coverage_95: Share of prices that ended within the interval.
    """

    horizon: Integer
    count: Integer
    dates: Integer
    trials: Integer
    hit_rate: float | None
    hit_rate_low: float | None
    hit_rate_high: float | None
    baseline_hit_rate: float | None
    hit_rate_difference: float | None
    hit_rate_difference_low: float | None
    hit_rate_difference_high: float | None
    mean_absolute_error: float
    baseline_mean_absolute_error: float
    coverage_95: float | None
    coverage_99: float | None


class AccuracyWeek(Struct, frozen=True, kw_only=True):
    """What matured after `start` and up to `end`, both Mondays at 00:00: the bar that ends then is the old week's.

    Attributes:
        total: Matured predictions in it, over all horizons.
    """

    start: Time
    end: Time
    total: Integer
    horizons: list[PeriodHorizon]


class AccuracySeries(Struct, frozen=True, kw_only=True):
    """Accuracy of a ticker, or of all (`*`), by the time at which predictions matured.

    Attributes:
        message: Why there is nothing yet; else empty.
        complete: All weeks that were asked for are here; else older ones are left out.
        total: Matured predictions in it, over all weeks and horizons.
        weeks: Oldest first; those in which nothing matured are left out.
        horizons: Over all these weeks together.
    """

    ticker: Annotated[str, Meta(pattern=TICKER_OR_ALL_PATTERN)]
    interval: Interval
    by: Literal["week"]
    message: str
    complete: bool
    total: Integer
    weeks: list[AccuracyWeek]
    horizons: list[PeriodHorizon]


def week_start_ns(time_ns: int) -> int:
    """Give the Monday, 00:00, after which a week begins that a time is of."""
    return (time_ns - 1 - _FIRST_MONDAY_NS) // WEEK_NS * WEEK_NS + _FIRST_MONDAY_NS


def accuracy_series(ticker: str, interval: Interval, rows: Sequence[DateSums], limit: int) -> AccuracySeries:
    """Make the document of the sums of each date, newest first, of which one more than the limit was asked for."""
    weeks = groupby(reversed(rows), lambda date: week_start_ns(date.matured_ns))
    by_week = [(start_ns, list(dates)) for start_ns, dates in weeks]
    complete = len(rows) <= limit
    kept = by_week if complete else by_week[1:]  # the oldest may be cut
    horizons = _horizons([date for _, dates in kept for date in dates])
    return AccuracySeries(
        ticker=ticker,
        interval=interval,
        by="week",
        message="" if rows else NOTHING_YET,
        complete=complete,
        total=_total(horizons),
        weeks=[_week(start_ns, dates) for start_ns, dates in kept],
        horizons=horizons,
    )


def _week(start_ns: int, dates: Sequence[DateSums]) -> AccuracyWeek:
    horizons = _horizons(dates)
    return AccuracyWeek(
        start=time_text(start_ns), end=time_text(start_ns + WEEK_NS), total=_total(horizons), horizons=horizons
    )


def _total(horizons: Iterable[PeriodHorizon]) -> int:
    return sum(each.count for each in horizons)


def _horizons(dates: Iterable[DateSums]) -> list[PeriodHorizon]:
    of_horizon: dict[int, list[Sums]] = {}
    for date in dates:
        of_horizon.setdefault(date.horizon, []).append(date.sums)
    return [_horizon(horizon, of_horizon[horizon]) for horizon in sorted(of_horizon)]


def _horizon(horizon: int, dates: Sequence[Sums]) -> PeriodHorizon:
    """Give the accuracy over dates, in their order."""
    total = Sums(*map(sum, zip(*dates, strict=True)))
    hits, low, high = _mean(horizon, [(date.hits, date.trials) for date in dates])
    usual, _, _ = _mean(horizon, [(date.usual_hits, date.usual_trials) for date in dates])
    more = [(date.hits_beside_usual - date.usual_hits, date.usual_trials) for date in dates]
    difference, difference_low, difference_high = _mean(horizon, more)
    return PeriodHorizon(
        horizon=horizon,
        count=total.counted,
        dates=len(dates),
        trials=total.trials,
        hit_rate=hits,
        hit_rate_low=None if low is None else max(0.0, low),
        hit_rate_high=None if high is None else min(1.0, high),
        baseline_hit_rate=usual,
        hit_rate_difference=difference,
        hit_rate_difference_low=difference_low,
        hit_rate_difference_high=difference_high,
        mean_absolute_error=total.error / total.counted,
        baseline_mean_absolute_error=total.no_change_error / total.counted,
        coverage_95=share(total.inside_95, total.known_95),
        coverage_99=share(total.inside_99, total.known_99),
    )


def _mean(horizon: int, dates: Iterable[tuple[int, int]]) -> tuple[float | None, float | None, float | None]:
    """Average the share of each date that has a whole; give the mean and its interval, null limits for no telling."""
    shares = [part / whole for part, whole in dates if whole]
    sure = mean_by_date(shares, horizon)
    low, high = (None, None) if sure is None else sure.interval()
    return share(math.fsum(shares), len(shares)), low, high
