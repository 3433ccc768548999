"""Accuracy date by date: at each, over the dates that were the newest then. From recorded outcomes. Pure."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct

from feature_stream.uncertainty import FloatArray, MeanByDate, least_dates, means_by_date
from gateway.accuracy import NOTHING_YET
from gateway.database.outcomes import DateHits
from gateway.presentation import time_text
from schemas.json_schemas import TICKER_OR_ALL_PATTERN
from schemas.public import Integer, Time
from schemas.times import Interval

#: Dates that each point looks back on; a scoreboard looks back on as many, those without a trial among them.
WINDOW = 500


class AccuracyDate(Struct, frozen=True, kw_only=True):
    """Accuracy at a date, over the newest ones up to it, by `docs/scores.md`.

    Attributes:
        through: What matured up to then is in it.
        dates: So many; `trials` of the direction on them.
        hit_rate: Share of right directions, by date, with its interval at 95 %; null limits: too few dates to tell, or
            always the same.
        baseline_hit_rate: Of the direction that was more frequent before training, on the same trials.
        hit_rate_difference: The hit rate less the baseline's, with its interval at 95 %: above 0 there is skill.
    """

    through: Time
    dates: Integer
    trials: Integer
    hit_rate: float
    hit_rate_low: float | None
    hit_rate_high: float | None
    baseline_hit_rate: float
    hit_rate_difference: float
    hit_rate_difference_low: float | None
    hit_rate_difference_high: float | None


class AccuracyDates(Struct, frozen=True, kw_only=True):
    """How the accuracy of a ticker, or of all (`*`), went from date to date at one horizon.

    Attributes:
        window: Dates that each point looks back on, at most.
        dates_needed: Of fewer no limits are said.
        message: Why there is nothing yet; else empty.
        complete: All dates are here; else older ones are left out.
        points: Oldest first, one for each date with a trial that has a usual direction beside it.
    """

    ticker: Annotated[str, Meta(pattern=TICKER_OR_ALL_PATTERN)]
    interval: Interval
    by: Literal["date"]
    horizon: Integer
    window: Integer
    dates_needed: Integer
    message: str
    complete: bool
    points: list[AccuracyDate]


def accuracy_dates(ticker: str, interval: Interval, horizon: int, rows: Sequence[DateHits], most: int) -> AccuracyDates:
    """Make the document.

    Args:
        rows: Newest first, as many as `most` points look back on.
        most: Points, the newest.
    """
    dates = rows[::-1]
    trials, hits, usual = np.array([row[1:] for row in dates], np.float64).reshape(-1, 3).T
    rates = np.stack([hits, usual, hits - usual]) / trials
    first = max(0, len(dates) - most)
    return AccuracyDates(
        ticker=ticker,
        interval=interval,
        by="date",
        horizon=horizon,
        window=WINDOW,
        dates_needed=least_dates(horizon),
        message="" if dates else NOTHING_YET,
        complete=first == 0,
        points=[_point(horizon, dates, trials, rates, end) for end in range(first + 1, len(dates) + 1)],
    )


def _point(horizon: int, dates: Sequence[DateHits], trials: FloatArray, rates: FloatArray, end: int) -> AccuracyDate:
    """Give the point of the last date before a place.

    Args:
        trials: (dates,).
        rates: (3, dates): ours, the usual direction's, and the difference.
    """
    start = max(0, end - WINDOW)
    hits, usual, difference = rates[:, start:end].mean(axis=1).tolist()
    of_hits, of_difference = means_by_date(rates[::2, start:end], horizon)
    low, high = _limits(of_hits)
    difference_low, difference_high = _limits(of_difference)
    return AccuracyDate(
        through=time_text(dates[end - 1].matured_ns),
        dates=end - start,
        trials=int(trials[start:end].sum()),
        hit_rate=hits,
        hit_rate_low=None if low is None else max(0.0, low),
        hit_rate_high=None if high is None else min(1.0, high),
        baseline_hit_rate=usual,
        hit_rate_difference=difference,
        hit_rate_difference_low=difference_low,
        hit_rate_difference_high=difference_high,
    )


def _limits(sure: MeanByDate | None) -> tuple[float | None, float | None]:
    return (None, None) if sure is None else sure.interval()
