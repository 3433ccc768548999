"""The web application, from its parts."""

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.guard import Guard
from gateway.openapi import declare_responses
from gateway.parts import Parts
from gateway.problems import handle_errors, nothing_here
from gateway.routes.page import page_router
from gateway.routes.predictions import predictions_router
from gateway.routes.sockets import PredictionSocket, no_socket_router
from gateway.routes.system import system_router
from gateway.timing import Timing
from schemas import VERSION
from schemas.sockets import SOCKET_PATH

_LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
_DESCRIPTION = (
    f"The latest stock predictions of Tickcast. Updates are sent over the WebSocket at `{SOCKET_PATH}`. "
    "All times are UTC. Every error is an `application/problem+json` document. Not investment advice."
)


class Dispatch:
    """Sends WebSockets straight to their socket, everything else to the API."""

    def __init__(self, api: ASGIApp, socket: ASGIApp) -> None:
        self._api = api
        self._socket = socket
        self._route = WebSocketRoute(SOCKET_PATH, socket)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; a WebSocket at another path is refused at the handshake."""
        if scope["type"] != "websocket":
            await self._api(scope, receive, send)
        elif scope["path"] == SOCKET_PATH:
            scope["route"] = self._route  # as FastAPI does it: the metrics name the route
            await self._socket(scope, receive, send)
        else:
            await nothing_here(scope["path"], f"the WebSocket is at {SOCKET_PATH}").response()(scope, receive, send)


def build_app(parts: Parts) -> ASGIApp:
    """Build the application with all its layers: timing, guard, dispatch."""
    api: FastAPI = FastAPIOffline(
        title="Tickcast", version=VERSION, description=_DESCRIPTION, redirect_slashes=False, license_info=_LICENSE
    )
    handle_errors(api)
    for router in (predictions_router(parts), system_router(parts), page_router(), no_socket_router()):
        api.include_router(router)
    declare_responses(api)
    return Timing(Guard(Dispatch(api, PredictionSocket(parts)), parts.settings), parts.instruments)
