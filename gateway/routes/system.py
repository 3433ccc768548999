"""How the system is: health, models, metrics."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from gateway.access.gate import CALLER
from gateway.openapi import problems
from gateway.parts import Parts
from gateway.presentation import time_text
from gateway.routes.live import live_json
from gateway.system import service_document
from gateway.system_documents import HealthDocument, ModelsDocument
from schemas import VERSION


def health_document(parts: Parts) -> dict[str, Any]:
    """Give the state of the gateway, and what the other services report."""
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
        description="200 once the gateway has read the latest predictions, and from then on even while Kafka cannot be "
        "reached: `state` is then `degraded`, and the last known predictions are served. A service that stopped "
        "reporting is listed as `degraded`, one that was stopped as `stopping`, for up to an hour or until another "
        "instance of it reports.",
        responses={200: {"model": HealthDocument}, **problems(503)},
        response_class=Response,
    )
    async def health(request: Request) -> Response:
        document = health_document(parts)
        if parts.settings.auth_required and CALLER not in request.scope:
            document["services"] = {}  # who did not say who he is sees no details
        parts.require_caught_up(state=document["state"], services=document["services"])
        return live_json(msgspec.json.encode(document))

    @router.get(
        "/models/status",
        summary="Which models serve",
        responses={200: {"model": ModelsDocument}, **problems(503)},
        response_class=Response,
    )
    async def models_status() -> Response:
        parts.require_caught_up()
        return live_json(parts.models.body)

    @router.get("/metrics", summary="Prometheus metrics of the gateway", response_class=Response)
    async def metrics() -> Response:
        return Response(parts.instruments.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router
