"""The web application, from its parts."""

from collections.abc import Mapping

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.bodies import Bodies
from gateway.access.gate import Gate
from gateway.access.scopes import ScopeTable
from gateway.guard import Guard
from gateway.hot import HotPath
from gateway.limits.layer import Limited
from gateway.limits.proxies import Forwarded, Proxies
from gateway.openapi import declare_responses
from gateway.parts import Parts
from gateway.problems import handle_errors, nothing_here
from gateway.request_log import RequestLog
from gateway.request_traces import RequestTraces
from gateway.routes.accuracy import accuracy_router
from gateway.routes.auth import auth_router
from gateway.routes.commands import commands_router
from gateway.routes.events import events_router
from gateway.routes.feedback import feedback_router
from gateway.routes.history import history_router
from gateway.routes.jobs import jobs_router
from gateway.routes.models import models_router
from gateway.routes.page import page_router
from gateway.routes.performance import performance_router
from gateway.routes.predict_posts import predict_posts_router
from gateway.routes.predictions import predictions_router
from gateway.routes.sockets import StreamSocket, no_socket_router
from gateway.routes.sources import sources_router
from gateway.routes.system import system_router
from gateway.routes.usage import usage_router
from gateway.timing import Timing
from gateway.versioned import API_PREFIX, Versioned
from schemas import VERSION
from schemas.sockets import BARS_SOCKET_PATH, SOCKET_PATH

_LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
_DESCRIPTION = (
    f"The latest stock predictions of Tickcast. Updates are sent over the WebSocket at `{SOCKET_PATH}`. "
    f"Every path is also there without `{API_PREFIX}`. "
    "All times are UTC. Every error is an `application/problem+json` document. Not investment advice."
)


class Dispatch:
    """Sends WebSockets straight to their sockets, everything else to the API."""

    def __init__(self, api: ASGIApp, sockets: Mapping[str, ASGIApp]) -> None:
        self._api = api
        self._sockets = sockets
        self._routes = {path: WebSocketRoute(path, socket) for path, socket in sockets.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; a WebSocket at another path is refused at the handshake."""
        if scope["type"] != "websocket":
            await self._api(scope, receive, send)
        elif (path := scope["path"]) in self._sockets:
            scope["route"] = self._routes[path]  # as FastAPI does it: the metrics name the route
            await self._sockets[path](scope, receive, send)
        else:
            detail = f"the WebSockets are at {' and '.join(self._sockets)}"
            await nothing_here(path, detail).response()(scope, receive, send)


def build_api(parts: Parts) -> FastAPI:
    """Build what is behind the layers: all that OpenAPI describes."""
    api: FastAPI = FastAPIOffline(
        title="Tickcast", version=VERSION, description=_DESCRIPTION, redirect_slashes=False, license_info=_LICENSE
    )
    handle_errors(api, ScopeTable())
    for router in (
        predictions_router(parts),
        predict_posts_router(parts),
        models_router(parts),
        commands_router(parts),
        jobs_router(parts),
        sources_router(parts),
        accuracy_router(parts),
        history_router(parts),
        feedback_router(parts),
        system_router(parts),
        performance_router(parts),
        usage_router(parts),
        page_router(),
        no_socket_router(),
        events_router(parts),
        auth_router(parts),
    ):
        api.include_router(router)
    declare_responses(api)
    return api


def build_app(parts: Parts) -> ASGIApp:
    """Build the application with all its layers: proxies, versions, timing, guard, gate, limits, bodies, dispatch."""
    sockets = {
        SOCKET_PATH: StreamSocket(parts, parts.predictions),
        BARS_SOCKET_PATH: StreamSocket(parts, parts.bars),
    }
    inner: ASGIApp = Bodies(Dispatch(HotPath(build_api(parts), parts), sockets), parts.settings.maximum_body_bytes)
    limits = parts.limits if parts.settings.limits_requests else None
    refusals = parts.refusals
    if limits is not None:
        inner = Limited(inner, limits, refusals)
    if parts.settings.auth_required:
        strangers = max(1, parts.settings.maximum_clients // 4)
        inner = Gate(inner, parts.identity, refusals, limits=limits, clock_ns=parts.clock_ns, most_strangers=strangers)
    requests = RequestLog(share) if (share := parts.settings.log_requests) else None
    guard = Guard(inner, parts.settings, refusals)
    outer: ASGIApp = Timing(guard, parts.instruments, parts.usage, requests)
    if requests is not None or parts.tracer is not None:
        outer = RequestTraces(outer)
    outer = Versioned(outer)
    trusted = parts.settings.trusted_proxies
    return Forwarded(outer, Proxies(trusted)) if trusted else outer
