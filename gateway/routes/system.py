"""How the system is: health, metrics."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from gateway.access.gate import CALLER
from gateway.openapi import of_text, problems
from gateway.parts import Parts
from gateway.presentation import time_text
from gateway.routes.live import live_json
from gateway.system import service_document
from gateway.system_documents import AliveDocument, HealthDocument, ReadyDocument
from schemas import VERSION
from schemas.events import ServiceState

_METRICS_EXAMPLE = (
    "# HELP tickcast_tickers Tickers that have a prediction.\n# TYPE tickcast_tickers gauge\ntickcast_tickers 13.0\n"
)
_WELL = {ServiceState.READY, ServiceState.ENDED}


def health_document(parts: Parts) -> dict[str, Any]:
    """Give the state of the gateway, and what the other services report."""
    own = parts.board.event()
    now_ns = parts.clock_ns()
    services = parts.services.document(now_ns) | {own.service: service_document([own], now_ns)}
    well = all(service["state"] in _WELL for service in services.values())
    redis = parts.redis.state
    return {
        "status": "healthy" if well and (redis is None or redis.up) else "degraded",
        "version": VERSION,
        "state": own.state,
        "message": own.message,
        "tickers": len(parts.latest),
        "websocket_clients": len(parts.hub),
        "timestamp": time_text(now_ns),
        "services": services,
        "redis": redis and {"state": "up" if redis.up else "away", "since": time_text(redis.since_ns)},
    }


def system_router(parts: Parts) -> APIRouter:
    """Give `/health`, `/health/live`, `/health/ready` and `/metrics`."""
    router = APIRouter(tags=["system"])

    @router.get(
        "/health",
        summary="Whether the gateway can answer, and the state of each service",
        description="200 once the gateway has read the latest predictions, and until it is told to stop, even while "
        "Kafka cannot be reached: `state` is then `degraded`, and the last known predictions are served. `status` is "
        "`degraded` where any service is; the ingestor is where its source sends nothing although it should, and the "
        "last known predictions are served. A service that stopped reporting is listed as `degraded`, one that was "
        "stopped as `stopping`, for up to an hour or until another instance of it reports.",
        responses={200: {"model": HealthDocument}, **problems(503)},
        response_class=Response,
    )
    async def health(request: Request) -> Response:
        document = health_document(parts)
        if parts.settings.auth_required and CALLER not in request.scope:
            document |= {"services": {}, "redis": None}  # who did not say who he is sees no details
        parts.require_ready(state=document["state"], services=document["services"])
        return live_json(msgspec.json.encode(document))

    @router.get(
        "/health/live",
        summary="Whether the gateway runs",
        description="Nothing else is looked at: restart it where this does not answer.",
        responses={200: {"model": AliveDocument}, **problems()},
        response_class=Response,
    )
    async def live() -> Response:
        return live_json(b'{"status":"alive"}')

    @router.get(
        "/health/ready",
        summary="Whether the gateway can answer, and wants requests",
        description="From when the latest predictions have been read until SIGTERM, also without Kafka.",
        responses={200: {"model": ReadyDocument}, **problems(503)},
        response_class=Response,
    )
    async def ready() -> Response:
        parts.require_ready()
        return live_json(b'{"status":"ready"}')

    @router.get(
        "/metrics",
        summary="Prometheus metrics of the gateway",
        responses={200: of_text(_METRICS_EXAMPLE), **problems()},
        response_class=Response,
    )
    async def metrics() -> Response:
        text = await parts.team.metrics(parts.instruments.text())
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router
