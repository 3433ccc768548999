"""How long each answer took: `X-Response-Time` on every one, and a histogram by route and status; whose it was, and how
much is left of its limits."""

import time
from collections.abc import Callable, Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.access.gate import CALLER
from gateway.instruments import Instruments
from gateway.limits.headers import LIMIT_HEADERS
from gateway.request_log import RequestLog
from gateway.usage import Usage

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


def _is_page(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    for name, value in headers:
        if name == b"content-type":
            return value.startswith(b"text/html")
    return False


def _body_bytes(headers: Iterable[tuple[bytes, bytes]]) -> int:
    for name, value in headers:
        if name == b"content-length":
            return int(value)
    return 0


def _without_body(send: Send) -> Send:
    """End an answer with its headers: what would go on for ever, as events do, then sees that its client is gone."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body"})

    return sent


class Timing:
    """The outermost layer: sees every answer, those of errors and refusals too."""

    def __init__(
        self,
        app: ASGIApp,
        instruments: Instruments,
        usage: Usage,
        requests: RequestLog | None = None,
        clock_seconds: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app = app
        self._requests = requests
        self._usage = usage
        self._instruments = instruments
        self._clock_seconds = clock_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and time its answer up to the first byte."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        started = self._clock_seconds()
        inner = scope
        if scope.get("method") == "HEAD":
            inner, send = {**scope, "method": "GET"}, _without_body(send)

        async def timed_send(message: Message) -> None:
            if message["type"] in _STARTS:
                seconds = self._clock_seconds() - started
                ours = ((b"x-response-time", b"%.6f" % seconds), _NO_SNIFFING)
                headers = [*message.get("headers", ()), *inner.get(LIMIT_HEADERS, ()), *ours]
                message["headers"] = headers
                if _is_page(headers):
                    MutableHeaders(raw=headers).setdefault("Content-Security-Policy", _NOTHING_FROM_ELSEWHERE)
                status = message.get("status", _SWITCHING_PROTOCOLS)
                route, caller = _route_of(inner), inner.get(CALLER)
                self._instruments.count_answer(route, status, seconds)
                if caller is not None:
                    self._usage.note_answer(caller.id, status, _body_bytes(headers) if inner is scope else 0)
                if self._requests is not None:
                    who = None if caller is None else caller.id
                    self._requests.note(scope.get("method", "WEBSOCKET"), route, status, seconds, who)
            await send(message)

        await self._app(inner, receive, timed_send)
