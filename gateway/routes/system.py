"""How the system is: health, models, metrics."""

from typing import Any

import msgspec
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from gateway.openapi import problems
from gateway.parts import Parts
from gateway.presentation import time_text
from gateway.system import service_document
from gateway.system_documents import HealthDocument, ModelsDocument
from schemas import VERSION

_JSON = "application/json"
_LIVE = {"Cache-Control": "no-store"}


def health_document(parts: Parts) -> dict[str, Any]:
    """Give how the gateway is, and what the others say of themselves."""
    own = parts.board.event()
    now_ns = parts.clock_ns()
    return {
        "status": "healthy",
        "version": VERSION,
        "state": own.state,
        "message": own.message,
        "tickers": len(parts.latest),
        "websocket_clients": len(parts.hub),
        "timestamp": time_text(now_ns),
        "services": parts.services.document(now_ns) | {own.service: service_document([own])},
    }


def system_router(parts: Parts) -> APIRouter:
    """Give `/health`, `/models/status` and `/metrics`."""
    router = APIRouter(tags=["system"])

    @router.get(
        "/health",
        summary="Whether the gateway can answer, and the state of each service",
        description="200 once the view has caught up, and from then on even where Kafka cannot be reached: "
        "`state` is then `degraded`, and what was known is served.",
        responses={200: {"model": HealthDocument}, **problems(503)},
        response_class=Response,
    )
    async def health() -> Response:
        document = health_document(parts)
        parts.require_caught_up(state=document["state"], services=document["services"])
        return Response(msgspec.json.encode(document), media_type=_JSON, headers=_LIVE)

    @router.get(
        "/models/status",
        summary="Which models serve",
        responses={200: {"model": ModelsDocument}, **problems(503)},
        response_class=Response,
    )
    async def models_status() -> Response:
        parts.require_caught_up()
        return Response(parts.models.body, media_type=_JSON, headers=_LIVE)

    @router.get("/metrics", summary="Prometheus metrics of the gateway", response_class=Response)
    async def metrics() -> Response:
        return Response(parts.instruments.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router
