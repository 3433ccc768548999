"""The web application, from its parts."""

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.guard import Guard
from gateway.openapi import describe_truly
from gateway.parts import Parts
from gateway.problems import handle_errors, nothing_here
from gateway.routes.page import page_router
from gateway.routes.predictions import predictions_router
from gateway.routes.sockets import SOCKET_PATH, PredictionSocket, no_socket_router
from gateway.routes.system import system_router
from gateway.timing import Timing
from schemas import VERSION

_LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
_DESCRIPTION = (
    "The latest stock predictions of Tickcast. Updates come over the WebSocket at `/ws/predictions`. "
    "All times are UTC. Every error is an `application/problem+json` document. Not investment advice."
)


class Doors:
    """WebSockets go straight to their socket, all else to the API."""

    def __init__(self, api: ASGIApp, socket: ASGIApp) -> None:
        self._api = api
        self._socket = socket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; a WebSocket at another path is refused at the handshake."""
        if scope["type"] != "websocket":
            await self._api(scope, receive, send)
        elif scope["path"] == SOCKET_PATH:
            await self._socket(scope, receive, send)
        else:
            await nothing_here(scope["path"], f"the WebSocket is at {SOCKET_PATH}").response()(scope, receive, send)


def build_app(parts: Parts) -> ASGIApp:
    """Build the application with all its layers: timing, guard, doors."""
    api: FastAPI = FastAPIOffline(
        title="Tickcast", version=VERSION, description=_DESCRIPTION, redirect_slashes=False, license_info=_LICENSE
    )
    handle_errors(api)
    for router in (predictions_router(parts), system_router(parts), page_router(), no_socket_router()):
        api.include_router(router)
    describe_truly(api)
    return Timing(Guard(Doors(api, PredictionSocket(parts)), parts.settings), parts.instruments)
