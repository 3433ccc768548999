"""A trace id for every request: the caller's or a new one, in all log records of the request and in its answer."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.codec import new_traceparent, read_traceparent, trace_id_of
from schemas.logs import current_trace_id

_STARTS = frozenset({"http.response.start", "websocket.http.response.start", "websocket.accept"})


class RequestTraces:
    """A layer that is there only where requests are logged or traces followed.

    A request is no span: its sampled flag is the caller's, and anybody could fill the collector.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; the trace id stands as long as it is answered."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
        trace_id = trace_id_of(read_traceparent(given) or new_traceparent())

        async def send_with_id(message: Message) -> None:
            if message["type"] in _STARTS:
                message["headers"] = [*message.get("headers", ()), (b"x-trace-id", trace_id.encode())]
            await send(message)

        token = current_trace_id.set(trace_id)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            current_trace_id.reset(token)
