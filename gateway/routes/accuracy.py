"""Accuracy so far over REST."""

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from gateway.accuracy import Accuracy, accuracy
from gateway.asked import find
from gateway.openapi import of_contract, problems
from gateway.parts import Parts
from gateway.routes.live import live_json
from gateway.routes.predictions import Symbol
from gateway.scores import ALL


def _accuracy_json(parts: Parts, ticker: str) -> Response:
    scores = parts.scores
    document = accuracy(ticker, scores.get(ticker), parts.models.newest, scores.tickers(), retrain=scores.retrain_asked)
    return live_json(msgspec.json.encode(document))


def accuracy_router(parts: Parts) -> APIRouter:
    """Give `/accuracy` and `/accuracy/{ticker}`."""
    router = APIRouter(tags=["accuracy"])

    @router.get(
        "/accuracy",
        summary="How accurate the predictions of all tickers have been",
        responses={200: of_contract(Accuracy), **problems(503)},
        response_class=Response,
    )
    async def of_all() -> Response:
        parts.require_caught_up()
        return _accuracy_json(parts, ALL)

    @router.get(
        "/accuracy/{ticker:text}",
        summary="How accurate the predictions of a ticker have been",
        responses={200: of_contract(Accuracy), **problems(400, 404, 503)},
        response_class=Response,
    )
    async def of_ticker(ticker: Symbol) -> Response:
        return _accuracy_json(parts, find(parts, ticker).ticker)

    return router
