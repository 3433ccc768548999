"""The two names of every path: `/api/v1/predict/AAPL`, which is documented, and `/predict/AAPL`."""

from starlette.types import ASGIApp, Receive, Scope, Send

API_PREFIX = "/api/v1"
_PREFIX_LENGTH = len(API_PREFIX)
_WITHIN = API_PREFIX + "/"


class Versioned:
    """Takes the prefix away before anything else looks at the path: there is one table of routes, of scopes and of
    limits, and one label in the metrics."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, under its short path."""
        if scope.get("path", "").startswith(_WITHIN):
            scope = {**scope, "path": scope["path"][_PREFIX_LENGTH:]}
        await self._app(scope, receive, send)
