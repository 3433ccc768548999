"""The models over REST: what serves, and how its members compare."""

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from gateway.asked import find
from gateway.members import Comparison, compare
from gateway.models_status import models_status, ticker_models_status
from gateway.openapi import of_contract, problems
from gateway.parts import Parts
from gateway.routes.live import live_json
from gateway.routes.predictions import Symbol
from gateway.system_documents import ModelsDocument, TickerModelsDocument


def models_router(parts: Parts) -> APIRouter:
    """Give `/models/status`, `/model/status/{ticker}` and `/models/compare/{ticker}`."""
    router = APIRouter(tags=["models"])

    @router.get(
        "/models/status",
        summary="Which models serve",
        responses={200: {"model": ModelsDocument}, **problems(503)},
        response_class=Response,
    )
    async def status() -> Response:
        parts.require_caught_up()
        return live_json(models_status(parts))

    @router.get(
        "/model/status/{ticker:text}",
        summary="Which models answered for a ticker",
        responses={200: {"model": TickerModelsDocument}, **problems(400, 404, 503)},
        response_class=Response,
    )
    async def ticker_status(ticker: Symbol) -> Response:
        return live_json(ticker_models_status(parts, find(parts, ticker)))

    @router.get(
        "/models/compare/{ticker:text}",
        summary="The models side by side, with their errors so far",
        responses={200: of_contract(Comparison), **problems(400, 404, 503)},
        response_class=Response,
    )
    async def comparison(ticker: Symbol) -> Response:
        entry = find(parts, ticker)
        return live_json(msgspec.json.encode(compare(entry.form, parts.board_for(entry.ticker), parts.models.newest)))

    return router
