"""Accuracy so far over REST; week by week, and date by date, from the database."""

from functools import partial
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from gateway.accuracy import accuracy
from gateway.accuracy_dates import WINDOW, AccuracyDates, accuracy_dates
from gateway.accuracy_series import WEEK_NS, AccuracySeries, accuracy_series, week_start_ns
from gateway.asked import find, read_horizon, read_symbol
from gateway.database.outcomes import hits_by_date, newest_matured_ns, sums_by_date
from gateway.openapi import of_schema, problems, reference
from gateway.parts import Parts
from gateway.routes.history import Horizon
from gateway.routes.live import live_json
from gateway.routes.predictions import Symbol
from gateway.routes.recorded import recorded
from gateway.scores import ALL
from gateway.shared.answers import Question
from schemas.times import Interval

#: Dates of a horizon in one series.
_MOST_DATES = 100_000
_SHAPES = of_schema({"anyOf": [reference(name) for name in ("Accuracy", "AccuracySeries", "AccuracyDates")]})
_DESCRIPTION = (
    "Rolling, from memory. With `by`: a series, from all outcomes that `tickcast recorder` has kept; 503 while "
    "the database cannot be reached, and where so long a span takes it too long. `by=week`: each week by itself. "
    f"`by=date`: at each date the hit rate of the {WINDOW} dates up to it, beside the baseline's."
)

By = Annotated[Literal["week", "date"] | None, Query(description="A series instead of now", examples=["week"])]
Weeks = Annotated[int, Query(ge=1, le=520, description="With `by=week`: back from the newest", examples=[52])]
Dates = Annotated[int, Query(ge=1, le=1_000, description="With `by=date`: the newest", examples=[250])]


def _accuracy_json(parts: Parts, ticker: str) -> Response:
    scores = parts.scores
    document = accuracy(ticker, scores.get(ticker), parts.models.newest, scores.tickers(), retrain=scores.retrain_asked)
    return live_json(msgspec.json.encode(document))


def accuracy_router(parts: Parts) -> APIRouter:
    """Give `/accuracy` and `/accuracy/{ticker}`."""
    router = APIRouter(tags=["accuracy"])

    async def by_week(ticker: str, weeks: int) -> Response:
        interval, seconds = parts.settings.interval, parts.settings.accuracy_cache_seconds
        query = partial(_series, interval=interval, ticker=ticker, weeks=weeks)
        question = Question("/accuracy?by=week", f"{ticker} {interval} {weeks}", seconds)
        return live_json(await recorded(parts, ticker, question, query, _said))

    async def by_date(ticker: str, horizon: int | None, dates: int) -> Response:
        interval, seconds = parts.settings.interval, parts.settings.accuracy_cache_seconds
        bars = read_horizon(parts, horizon)
        query = partial(_dates, interval=interval, ticker=ticker, horizon=bars, dates=dates)
        question = Question("/accuracy?by=date", f"{ticker} {interval} {bars} {dates}", seconds)
        return live_json(await recorded(parts, ticker, question, query, _dates_said))

    @router.get(
        "/accuracy",
        summary="How accurate the predictions of all tickers have been",
        description=_DESCRIPTION,
        responses={200: _SHAPES, **problems(400, 503)},
        response_class=Response,
    )
    async def of_all(by: By = None, weeks: Weeks = 52, horizon: Horizon = None, dates: Dates = 250) -> Response:
        if by is not None:
            return await (by_week(ALL, weeks) if by == "week" else by_date(ALL, horizon, dates))
        parts.require_caught_up()
        return _accuracy_json(parts, ALL)

    @router.get(
        "/accuracy/{ticker:text}",
        summary="How accurate the predictions of a ticker have been",
        description=_DESCRIPTION,
        responses={200: _SHAPES, **problems(400, 404, 503)},
        response_class=Response,
    )
    async def of_ticker(
        ticker: Symbol, by: By = None, weeks: Weeks = 52, horizon: Horizon = None, dates: Dates = 250
    ) -> Response:
        if by is None:
            return _accuracy_json(parts, find(parts, ticker).ticker)
        symbol = read_symbol(ticker)
        return await (by_week(symbol, weeks) if by == "week" else by_date(symbol, horizon, dates))

    return router


def _said(series: AccuracySeries) -> tuple[bytes, bool]:
    return msgspec.json.encode(series), bool(series.total)


def _series(connection: Connection, interval: Interval, ticker: str, weeks: int) -> AccuracySeries:
    of_ticker = None if ticker == ALL else ticker
    newest_ns = newest_matured_ns(connection, interval, of_ticker) or 0
    after_ns = week_start_ns(newest_ns) - (weeks - 1) * WEEK_NS
    rows = sums_by_date(connection, interval, of_ticker, after_ns, _MOST_DATES + 1)
    return accuracy_series(ticker, interval, rows, _MOST_DATES)


def _dates_said(series: AccuracyDates) -> tuple[bytes, bool]:
    return msgspec.json.encode(series), bool(series.points)


def _dates(connection: Connection, interval: Interval, ticker: str, horizon: int, dates: int) -> AccuracyDates:
    of_ticker = None if ticker == ALL else ticker
    rows = hits_by_date(connection, interval, of_ticker, horizon, dates + WINDOW)
    return accuracy_dates(ticker, interval, horizon, rows, dates)
