"""Limits, around what answers."""

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.gate import CALLER
from gateway.limits.limits import Limits


class Limited:
    """Counts what is let in, and refuses what is too much."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it is one too many."""
        if scope["type"] in ("http", "websocket"):
            caller = scope.get(CALLER)
            refused = self._limits.refusal(scope, None if caller is None else caller.id)
            if refused is not None:
                await refused.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)
