"""How long each answer took: `X-Response-Time` on every one, and a histogram by route and status; and how much is left
of its limits."""

import time
from collections.abc import Callable

from prometheus_client import Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.instruments import Instruments
from gateway.limits.headers import LIMIT_HEADERS

#: The pages of the documentation carry their own scripts; nothing may come from other servers.
_NOTHING_FROM_ELSEWHERE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src 'self' blob:"
)
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
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
        self._histograms: dict[tuple[str, int], Histogram] = {}
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
                ours = ((b"x-response-time", b"%.6f" % seconds), _NO_SNIFFING)
                headers = [*message.get("headers", ()), *inner.get(LIMIT_HEADERS, ()), *ours]
                message["headers"] = headers
                if any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers):
                    MutableHeaders(raw=headers).setdefault("Content-Security-Policy", _NOTHING_FROM_ELSEWHERE)
                self._observe(_route_of(inner), message.get("status", _SWITCHING_PROTOCOLS), seconds)
            await send(message)

        await self._app(inner, receive, timed_send)

    def _observe(self, route: str, status: int, seconds: float) -> None:
        histogram = self._histograms.get((route, status))
        if histogram is None:  # `labels` costs more than the rest; there are few routes
            histogram = self._histograms[route, status] = self._instruments.http_seconds.labels(route, status)
        histogram.observe(seconds)
