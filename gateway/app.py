"""The web application, from its parts."""

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp

from gateway.guard import Guard
from gateway.openapi import describe_truly
from gateway.parts import Parts
from gateway.problems import handle_errors
from gateway.routes.page import page_router
from gateway.routes.predictions import predictions_router
from gateway.routes.sockets import PredictionSocket
from gateway.routes.system import system_router
from gateway.timing import Timing
from schemas import VERSION

SOCKET_PATH = "/ws/predictions"
_LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
_DESCRIPTION = (
    "The latest stock predictions of Tickcast. Updates come over the WebSocket at `/ws/predictions`. "
    "All times are UTC. Every error is an `application/problem+json` document. Not investment advice."
)


def build_app(parts: Parts) -> ASGIApp:
    """Build the application with all its layers: timing, guard, routes."""
    api: FastAPI = FastAPIOffline(
        title="Tickcast", version=VERSION, description=_DESCRIPTION, redirect_slashes=False, license_info=_LICENSE
    )
    handle_errors(api)
    for router in (predictions_router(parts), system_router(parts), page_router()):
        api.include_router(router)
    api.router.routes.append(WebSocketRoute(SOCKET_PATH, PredictionSocket(parts), name="predictions"))
    describe_truly(api)
    return Timing(Guard(api, parts.settings), parts.instruments)
