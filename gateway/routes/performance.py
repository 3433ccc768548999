"""How fast it is and how far its start has got, for people."""

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from gateway.openapi import of_contract, problems
from gateway.parts import Parts
from gateway.performance import (
    PerformanceMetrics,
    PerformanceSummary,
    Warmup,
    performance_metrics,
    performance_summary,
    warmup,
)
from gateway.routes.live import live_json


def performance_router(parts: Parts) -> APIRouter:
    """Give `/performance/metrics`, `/performance/summary` and `/warmup/status`."""
    router = APIRouter(tags=["system"])

    @router.get(
        "/performance/metrics",
        summary="Times of answers by path, memory, ready answers, and the stages from tick to gateway",
        responses={200: of_contract(PerformanceMetrics), **problems()},
        response_class=Response,
    )
    async def metrics() -> Response:
        return live_json(msgspec.json.encode(performance_metrics(parts)))

    @router.get(
        "/performance/summary",
        summary="The same in a few numbers",
        responses={200: of_contract(PerformanceSummary), **problems()},
        response_class=Response,
    )
    async def summary() -> Response:
        return live_json(msgspec.json.encode(performance_summary(parts)))

    @router.get(
        "/warmup/status",
        summary="How far the start has got",
        responses={200: of_contract(Warmup), **problems()},
        response_class=Response,
    )
    async def warmup_status() -> Response:
        return live_json(msgspec.json.encode(warmup(parts)))

    return router
