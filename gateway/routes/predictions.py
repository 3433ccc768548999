"""The latest predictions over REST, in bytes that the view keeps ready."""

from hashlib import blake2b
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response

from gateway.asked import OLD_MONTH, Wanted, body_asked_for, find, read_cursor, read_symbol, read_time, write_cursor
from gateway.entries import Entry
from gateway.openapi import of_contract, problems
from gateway.outage import prediction_json
from gateway.parts import Parts
from schemas.events import Direction
from schemas.public import PublicPrediction, PublicPredictions

#: Predictions on a page, unless fewer are asked for.
PAGE = 500
#: Tickers that one query may name; more do not fit into a URL.
MOST_TICKERS = 1_000
#: RFC 9745: since when `timeframe=1m` is deprecated (2026-12-01).
_DEPRECATED = {"Deprecation": "@1796083200"}


class _AnyText(Convertor[str]):
    """Everything after the prefix, slashes and line ends too, so that what is not a symbol is 400 instead of 404."""

    regex = r"(?!batch$)[\s\S]*"  # /predict/batch is another path

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("text", _AnyText())

_TIMEFRAME_SCHEMA: dict[str, Any] = {
    "oneOf": [
        {"type": "string", "enum": ["1d", "1w", "1mo"]},
        {"type": "string", "const": OLD_MONTH, "deprecated": True, "description": "A month: say 1mo"},
    ]
}
Symbol = Annotated[str, Path(description="A symbol, in any case", examples=["AAPL"])]
Horizon = Annotated[int | None, Query(ge=1, le=100_000, description="In bars after the last closed one", examples=[5])]
Timeframe = Annotated[
    str | None,
    Query(
        description="Instead of `horizon`, where bars are daily: a day, a week (5 bars), a month (21). "
        "`1m` still means a month, and is deprecated: the answer says so in `Deprecation`",
        json_schema_extra=_TIMEFRAME_SCHEMA,
    ),
]
_ON_OFFER = (
    "`prediction` is that of the horizon asked for, by default the shortest; one not on offer is 400 with those "
    "that are. While Kafka cannot be reached, or the source is in trouble, the last known prediction is given, with "
    "`degraded` and `age_seconds`."
)


def predictions_router(parts: Parts) -> APIRouter:
    """Give `GET` of `/predict` and `/predictions`."""
    router = APIRouter(tags=["predictions"])
    whole = _Whole(parts)

    @router.get(
        "/predict/{ticker:text}",
        summary="The latest prediction of a ticker",
        description=_ON_OFFER,
        responses={200: of_contract(PublicPrediction), **problems(400, 404, 503)},
        response_class=Response,
    )
    async def predict(ticker: Symbol, horizon: Horizon = None, timeframe: Timeframe = None) -> Response:
        return _prediction(parts, find(parts, ticker), horizon, timeframe)

    @router.get(
        "/predict",
        summary="The same, with the ticker as a parameter",
        description=_ON_OFFER,
        responses={200: of_contract(PublicPrediction), **problems(400, 404, 503)},
        response_class=Response,
    )
    async def predict_symbol(
        symbol: Annotated[str, Query(description="A symbol, in any case", examples=["AAPL"])],
        horizon: Horizon = None,
        timeframe: Timeframe = None,
    ) -> Response:
        return _prediction(parts, find(parts, symbol, "symbol"), horizon, timeframe)

    @router.get(
        "/predictions",
        summary="The latest predictions: all, or those that you want",
        description="By ticker. Without parameters: all of them. With any: a page, and `next_cursor` where more wait. "
        "`If-None-Match` with the `ETag` of an earlier answer gets 304 while nothing has changed.",
        responses={
            200: of_contract(PublicPredictions),
            304: {"description": "Nothing has changed since"},
            **problems(400, 503),
        },
        response_class=Response,
    )
    async def predictions(
        tickers: Annotated[str | None, Query(description="Separated by commas", examples=["AAPL,MSFT"])] = None,
        min_confidence: Annotated[float | None, Query(ge=0, le=1, description="Of the shortest horizon")] = None,
        direction: Annotated[Direction | None, Query(description="Of the shortest horizon")] = None,
        since: Annotated[
            str | None, Query(description="`updated_at` is later than this", examples=["2024-01-31T15:30:00Z"])
        ] = None,
        limit: Annotated[int | None, Query(ge=1, le=PAGE, description="Predictions on a page")] = None,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        conditions = (tickers, min_confidence, direction, since, limit, cursor)
        if all(condition is None for condition in conditions):
            return whole.answer(if_none_match)
        wanted = Wanted(
            tickers=None if tickers is None else _symbols(tickers),
            min_confidence=min_confidence or 0.0,
            direction=direction,
            since=None if since is None else read_time(since, "since"),
            after="" if cursor is None else read_cursor(cursor),
        )
        parts.require_caught_up()
        found = wanted.among(parts.latest.entries())
        page = found[: limit or PAGE]
        etag = _etag(parts, page, more=len(page) < len(found))
        if parts.is_current and _is_known(etag, if_none_match):
            return _unchanged(etag)
        parts.instruments.made_bytes.inc()
        return _tagged(parts, _page(page, len(found)), etag)

    return router


class _Whole:
    """All latest, whose tag is made once for the bytes that the view keeps."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._of: tuple[bytes, str] = (b"", "")
        self._etag = ""

    def answer(self, if_none_match: str | None) -> Response:
        """Answer with all, or that nothing has changed."""
        parts = self._parts
        parts.require_caught_up()
        body, epoch = parts.latest.all_bytes(), parts.predictions.epoch
        if self._of[0] is not body or self._of[1] != epoch:
            self._of, self._etag = (body, epoch), _etag(parts, parts.latest.entries(), more=False)
        if parts.is_current and _is_known(self._etag, if_none_match):
            return _unchanged(self._etag)
        parts.instruments.ready_bytes.inc()
        return _tagged(parts, body, self._etag)


def _prediction(parts: Parts, entry: Entry, horizon: int | None, timeframe: str | None) -> Response:
    answer = prediction_json(parts, body_asked_for(entry, horizon, timeframe))
    if timeframe == OLD_MONTH:
        answer.headers.update(_DEPRECATED)
    parts.instruments.ready_bytes.inc()
    return answer


def _symbols(text: str) -> frozenset[str]:
    names = [name for name in text.split(",") if name.strip()] or [text]
    return frozenset(read_symbol(name, "tickers") for name in names[:MOST_TICKERS])


def _page(page: list[Entry], found: int) -> bytes:
    bodies = b",".join([entry.body for entry in page])
    more = b',"next_cursor":"%b"' % write_cursor(page[-1].ticker).encode() if len(page) < found else b""
    return b'{"count":%d,"predictions":[%b]%b}' % (len(page), bodies, more)


def _etag(parts: Parts, page: list[Entry], *, more: bool) -> str:
    """Name a page by the places of its predictions in the log: every gateway gives the same."""
    places = ",".join([f"{entry.ticker}:{entry.seq}:{entry.order}" for entry in page])
    digest = blake2b(f"{parts.predictions.epoch}/{places}/{more}".encode(), digest_size=12)
    return f'"{digest.hexdigest()}"'


def _is_known(etag: str, if_none_match: str | None) -> bool:
    known = {text.strip().removeprefix("W/") for text in (if_none_match or "").split(",")}
    return etag in known or "*" in known


def _caching(etag: str) -> dict[str, str]:
    return {"ETag": etag, "Cache-Control": "no-cache"}


def _unchanged(etag: str) -> Response:
    return Response(status_code=304, headers=_caching(etag))


def _tagged(parts: Parts, body: bytes, etag: str) -> Response:
    answer = prediction_json(parts, body)
    if parts.is_current:
        answer.headers.update(_caching(etag))
    return answer
