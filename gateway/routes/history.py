"""What was: past predictions beside what happened, bars, indicators. From the database that the recorder fills."""

from functools import partial
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query
from sqlalchemy import Connection
from starlette.responses import Response

from gateway.asked import read_horizon, read_symbol, read_time_ns
from gateway.database.outcomes import Sums, sums_of_span
from gateway.database.queries import Rows, Series, Span, newest_event_ns, past_predictions
from gateway.database.queries import bars as bars_of
from gateway.database.queries import features as features_of
from gateway.history import History, as_csv, history_of
from gateway.openapi import of_contract, problems
from gateway.parts import Parts
from gateway.past_bars import PastFeatures, past_bars, past_features, with_forming
from gateway.routes.live import live_json
from gateway.routes.predictions import Symbol
from gateway.routes.recorded import recorded
from gateway.shared.answers import Question
from schemas.public import PastBars
from schemas.times import NS_PER_SECOND

#: Rows in one answer.
MOST = 10_000
_DAY_NS = 86_400 * NS_PER_SECOND
_CSV = "text/csv"

Horizon = Annotated[int | None, Query(ge=1, le=100_000, description="In bars; default: the shortest")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="The newest are kept")]
Start = Annotated[str | None, Query(description="From this time on", examples=["2024-01-31T00:00:00Z"])]
End = Annotated[str | None, Query(description="Before this time", examples=["2024-02-29T00:00:00Z"])]
_NEEDS = "Recorded by `tickcast recorder`; 503 while the database cannot be reached: what is live goes on."


def history_router(parts: Parts) -> APIRouter:
    """Give `/history`, `/bars` and `/features` of a ticker."""
    router, interval = APIRouter(tags=["history"]), parts.settings.interval

    @router.get(
        "/history/{ticker:text}",
        summary="Past predictions beside what happened, and how right they were",
        description=f"Days count back from the ticker's newest event that is recorded; `accuracy` is of all of them. "
        f"`Accept: text/csv` gets CSV. {_NEEDS}",
        responses={
            200: {"content": of_contract(History)["content"] | {_CSV: {"schema": {"type": "string"}}}},
            **problems(400, 404, 503),
        },
        response_class=Response,
    )
    async def history(
        ticker: Symbol,
        days: Annotated[int, Query(ge=1, le=36_500)] = 30,
        horizon: Horizon = None,
        limit: Limit = 1_000,
        accept: Annotated[str, Header(description="`text/csv`, or JSON")] = "",
    ) -> Response:
        symbol, bars = read_symbol(ticker), read_horizon(parts, horizon)
        query = partial(_past, series=Series(symbol, interval), horizon=bars, days=days, limit=limit + 1)
        as_text, seconds = _CSV in accept, parts.settings.history_cache_seconds
        question = Question("/history/{ticker}", f"{symbol} {interval} {bars} {days} {limit} {as_text}", seconds)

        def said(found: tuple[Rows, Sums]) -> tuple[bytes, bool]:
            rows, outcomes = found
            document = history_of(symbol, bars, days, rows, outcomes, limit)
            body = as_csv(document.history).encode() if as_text else msgspec.json.encode(document)
            return body, bool(rows or outcomes.matured)

        body = await recorded(parts, symbol, question, query, said)
        return Response(body, media_type=_CSV if as_text else "application/json", headers={"Cache-Control": "no-store"})

    @router.get(
        "/bars/{ticker:text}",
        summary="Closed bars, and the one that forms",
        description=_NEEDS,
        responses={200: of_contract(PastBars), **problems(400, 404, 503)},
        response_class=Response,
    )
    async def bars(ticker: Symbol, start: Start = None, end: End = None, limit: Limit = 100) -> Response:
        symbol, span = read_symbol(ticker), Span(_time_ns(start, "start"), _time_ns(end, "end"))
        series = Series(symbol, interval)
        query = partial(bars_of, series=series, span=span, limit=limit + 1)
        question = Question("/bars/{ticker}", f"{series} {span} {limit}", parts.settings.bars_cache_seconds)

        def said(rows: Rows) -> tuple[bytes, bool]:
            return msgspec.json.encode(past_bars(symbol, interval, rows, limit)), bool(rows)

        body = await recorded(parts, symbol, question, query, said)
        entry = parts.latest.get(symbol)
        return live_json(with_forming(body, None if entry is None else entry.form))

    @router.get(
        "/features/{ticker:text}",
        summary="Named indicators of closed bars",
        description=_NEEDS,
        responses={200: of_contract(PastFeatures), **problems(400, 404, 503)},
        response_class=Response,
    )
    async def features(ticker: Symbol, start: Start = None, end: End = None, limit: Limit = 1) -> Response:
        symbol, span = read_symbol(ticker), Span(_time_ns(start, "start"), _time_ns(end, "end"))
        series = Series(symbol, interval)
        query = partial(features_of, series=series, span=span, limit=limit + 1)
        question = Question("/features/{ticker}", f"{series} {span} {limit}", parts.settings.features_cache_seconds)

        def said(rows: Rows) -> tuple[bytes, bool]:
            return msgspec.json.encode(past_features(symbol, interval, rows, limit)), bool(rows)

        return live_json(await recorded(parts, symbol, question, query, said))

    return router


def _past(connection: Connection, series: Series, horizon: int, days: int, limit: int) -> tuple[Rows, Sums]:
    after_ns = (newest_event_ns(connection, series) or 0) - days * _DAY_NS
    rows = past_predictions(connection, series, horizon, after_ns, limit)
    return rows, sums_of_span(connection, series, horizon, after_ns)


def _time_ns(text: str | None, field: str) -> int | None:
    return None if text is None else read_time_ns(text, field)
