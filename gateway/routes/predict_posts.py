"""`POST /predict` and `POST /predict/batch`."""

from functools import partial
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.responses import Response

from gateway.asked import body_asked_for, find
from gateway.batch import LARGEST_BATCH, MOST_TICKERS, batch_body, queued_batch_body, read_tickers
from gateway.batch_jobs import KEPT_SECONDS
from gateway.bodies import read_as, read_json
from gateway.forecasts import OwnPrices
from gateway.openapi import PREDICTIONS, accepted, json_body, of_schema, problems, reference
from gateway.outage import prediction_json
from gateway.parts import Parts
from gateway.reasons import reasoning_of
from gateway.routes.live import accepted_response, live_json
from schemas.public import PublicPrediction

_PRICES_EXAMPLE = '{"recent_prices": [101.2, 100.7, …]} with 10 to 10,000 closes, the oldest first'
_EXAMPLE: dict[str, Any] = {"ticker": "AAPL", "timeframe": "1w", "include_reasoning": True}


class PredictRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The prediction that is wanted. `horizon` in bars, or `timeframe` where bars are daily; neither: the shortest."""

    ticker: str
    timeframe: str | None = None
    horizon: int | None = None
    include_reasoning: bool = False


def predict_posts_router(parts: Parts) -> APIRouter:
    """Give the two."""
    router = APIRouter(tags=["predictions"])

    @router.post(
        "/predict",
        summary="A prediction with its reasons, or a forecast from your own prices",
        description="With `ticker`: `reasoning` has the models' shares and own predictions, what they rest on, and how "
        "right they have been so far; null where `include_reasoning` is false. With `recent_prices`: the next close by "
        "the pooled ARIMA, asked of the predictor; equal prices get the same answer for a minute.",
        responses={
            200: of_schema({"anyOf": [reference("ReasonedPrediction"), reference("OwnForecast")]}),
            **problems(400, 404, 415, 503),
        },
        response_class=Response,
        openapi_extra=json_body({"oneOf": [_OF_TICKER, _OF_PRICES]}, _EXAMPLE),
    )
    async def predict(request: Request) -> Response:
        body = await read_json(request)
        if isinstance(body, dict) and "recent_prices" in body:
            prices = read_as(body, OwnPrices, _PRICES_EXAMPLE)
            return live_json(msgspec.json.encode(await parts.forecasts.ask(prices, _serving(parts))))
        return _reasoned(parts, read_as(body, PredictRequest, msgspec.json.encode(_EXAMPLE).decode()))

    @router.post(
        "/predict/batch",
        summary="The latest predictions of many tickers",
        description="In the order asked for; where a ticker has none, its error stands in its place. More than "
        f"{LARGEST_BATCH} (at most {MOST_TICKERS:,}) are queued in this one process: 202, and `GET /jobs/{{id}}` gives "
        f"them for {KEPT_SECONDS // 60} minutes.",
        responses={
            200: of_schema(PREDICTIONS | {"required": ["predictions"]}),
            202: accepted(),
            **problems(400, 415, 503),
        },
        response_class=Response,
        openapi_extra=json_body({"oneOf": [_TICKERS_OBJECT, _TICKERS]}, {"tickers": ["AAPL", "MSFT"]}),
    )
    async def batch(request: Request) -> Response:
        tickers = read_tickers(await read_json(request))
        parts.require_caught_up()
        parts.instruments.ready_bytes.inc(len(tickers))
        if len(tickers) > LARGEST_BATCH:
            work = partial(queued_batch_body, parts, tickers)
            return accepted_response(parts.batches.take(len(tickers), work))
        return prediction_json(parts, batch_body(parts, tickers))

    return router


_OF_TICKER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ticker": {"type": "string", "description": "A symbol, in any case"},
        "timeframe": {"type": ["string", "null"], "enum": ["1d", "1w", "1mo", "1m", None]},
        "horizon": {"type": ["integer", "null"], "minimum": 1, "description": "In bars"},
        "include_reasoning": {"type": "boolean", "default": False},
    },
    "required": ["ticker"],
    "additionalProperties": False,
}
_OF_PRICES: dict[str, Any] = {
    "type": "object",
    "properties": {
        "recent_prices": {
            "type": "array",
            "description": "Closes, the oldest first, one a bar",
            "items": {"type": "number", "exclusiveMinimum": 0},
            "minItems": 10,
            "maxItems": 10_000,
        },
        "ticker": {"type": ["string", "null"], "description": "What becomes of the forecast is kept in `outcomes`"},
    },
    "required": ["recent_prices"],
    "additionalProperties": False,
}
_TICKERS: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": 1,
    "maxItems": MOST_TICKERS,
}
_TICKERS_OBJECT: dict[str, Any] = {
    "type": "object",
    "properties": {"tickers": _TICKERS},
    "required": ["tickers"],
    "additionalProperties": False,
}


def _serving(parts: Parts) -> str | None:
    return None if parts.models.newest is None else parts.models.newest.serving


def _reasoned(parts: Parts, wanted: PredictRequest) -> Response:
    entry = find(parts, wanted.ticker)
    body = body_asked_for(entry, wanted.horizon, wanted.timeframe)
    reasoning = None
    if wanted.include_reasoning:
        said = msgspec.json.decode(body, type=PublicPrediction)
        horizon, board = said.prediction.horizon, parts.board_for(entry.ticker)
        reasoning = reasoning_of(said, horizon, board, parts.models.newest)
    parts.instruments.made_bytes.inc()
    return prediction_json(parts, b'%b,"reasoning":%b}' % (body[:-1], msgspec.json.encode(reasoning)))
