"""The path that most requests take, without a framework."""

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.parts import Parts

_PATH = "/predict/"
_TYPE = (b"content-type", b"application/json")
_NO_STORE = (b"cache-control", b"no-store")


async def _elsewhere() -> None:
    """Stand for the endpoint in a route that only names the path."""


_ROUTE = Route(_PATH + "{ticker}", _elsewhere)  # as FastAPI does it: the metrics name the route


class HotPath:
    """Answers `GET /predict/{ticker}` of a known ticker in capitals, without parameters; passes on the rest."""

    def __init__(self, api: ASGIApp, parts: Parts) -> None:
        self._api = api
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the bytes of the view, or pass on."""
        path = scope["path"]
        if path.startswith(_PATH) and scope["method"] == "GET" and not scope["query_string"]:
            entry = self._parts.latest.get(path[len(_PATH) :])
            if entry is not None and self._parts.is_current:
                scope["route"] = _ROUTE
                self._parts.instruments.ready_bytes.inc()
                length = (b"content-length", b"%d" % len(entry.body))
                headers = [_TYPE, length, _NO_STORE]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": entry.body})
                return
        await self._api(scope, receive, send)
