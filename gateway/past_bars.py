"""Recorded bars and indicators, and the bar that forms, as people see them. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import RowMapping

from gateway.presentation import time_text
from schemas.events import Origin
from schemas.public import Integer, PastBar, PastBars, PublicPrediction, Time
from schemas.times import Interval

Row = RowMapping | dict[str, Any]

_NO_FORMING = b'"forming":null}'


class PastIndicators(Struct, frozen=True, kw_only=True):
    """Of one closed bar, as of its end; an indicator is null until its window is filled."""

    as_of: Time
    bar_index: Integer
    close: float
    indicators: dict[str, float | None]
    origin: Origin


class PastFeatures(Struct, frozen=True, kw_only=True):
    """Oldest first; `complete` as with bars."""

    ticker: str
    interval: Interval
    complete: bool
    features: list[PastIndicators]


def past_bars(ticker: str, interval: Interval, rows: Sequence[Row], limit: int) -> PastBars:
    """Make the document of rows, newest first, of which one more than the limit was asked for; no bar forms."""
    kept = rows[:limit][::-1]
    return PastBars(
        ticker=ticker,
        interval=interval,
        complete=len(rows) <= limit,
        bars=[_bar(row) for row in kept],
        forming=None,
    )


def with_forming(body: bytes, live: PublicPrediction | None) -> bytes:
    """Put the bar that forms into the JSON of bars without one."""
    if live is None or not live.provisional:
        return body
    return body[: -len(_NO_FORMING)] + b'"forming":%b}' % msgspec.json.encode(live.bar)


def past_features(ticker: str, interval: Interval, rows: Sequence[Row], limit: int) -> PastFeatures:
    """Make the document likewise."""
    kept = rows[:limit][::-1]
    return PastFeatures(
        ticker=ticker,
        interval=interval,
        complete=len(rows) <= limit,
        features=[_indicators(row) for row in kept],
    )


def _bar(row: Row) -> PastBar:
    return PastBar(
        start=time_text(row["start_ns"]),
        end=time_text(row["end_ns"]),
        open=row["open"],
        high=row["high"],
        low=row["low"],
        close=row["close"],
        volume=row["volume"],
        tick_count=row["tick_count"],
        bar_index=row["bar_index"],
        partial=row["partial"],
        origin=Origin(row["origin"]),
    )


def _indicators(row: Row) -> PastIndicators:
    return PastIndicators(
        as_of=time_text(row["as_of_ns"]),
        bar_index=row["bar_index"],
        close=row["close"],
        indicators=row["indicators"],
        origin=Origin(row["origin"]),
    )
