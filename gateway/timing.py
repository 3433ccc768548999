"""How long each answer took: `X-Response-Time` on every one, and a histogram by route and status."""

import time
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.instruments import Instruments

#: The pages of the documentation carry their own scripts; nothing may come from other servers.
_NOTHING_FROM_ELSEWHERE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src 'self' blob:"
)
_STARTS = frozenset({"http.response.start", "websocket.http.response.start", "websocket.accept"})
_SWITCHING_PROTOCOLS = 101


def _route_of(scope: Scope) -> str:
    """Give the route's template, of which there are few, and never the path."""
    route = scope.get("route")
    return getattr(route, "path_format", "") or getattr(route, "path", "") or "other"


class Timing:
    """The outermost layer: sees every answer, those of errors and refusals too."""

    def __init__(
        self, app: ASGIApp, instruments: Instruments, clock_seconds: Callable[[], float] = time.perf_counter
    ) -> None:
        self._app = app
        self._instruments = instruments
        self._clock_seconds = clock_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and time its answer up to the first byte."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        started = self._clock_seconds()
        inner = {**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope  # the server drops the body

        async def timed_send(message: Message) -> None:
            if message["type"] in _STARTS:
                seconds = self._clock_seconds() - started
                message.setdefault("headers", [])
                headers = MutableHeaders(scope=message)
                headers["X-Response-Time"] = f"{seconds:.6f}"
                headers["X-Content-Type-Options"] = "nosniff"
                if headers.get("Content-Type", "").startswith("text/html"):
                    headers.setdefault("Content-Security-Policy", _NOTHING_FROM_ELSEWHERE)
                status = message.get("status", _SWITCHING_PROTOCOLS)
                self._instruments.http_seconds.labels(_route_of(inner), status).observe(seconds)
            await send(message)

        await self._app(inner, receive, timed_send)
