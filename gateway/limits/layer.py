"""Limits, around what answers."""

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.gate import CALLER, STAY
from gateway.limits.clients import client_of
from gateway.limits.limits import Limits
from schemas.sockets import EVENTS_PATH


class Limited:
    """Counts what is let in, and refuses what is too much."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it is one too many."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        caller = scope.get(CALLER)
        key_id = None if caller is None else caller.id
        refused = self._limits.refusal(scope, key_id)
        if refused is not None:
            await refused.response()(scope, receive, send)
        elif scope["type"] == "websocket" or scope["path"] == EVENTS_PATH:
            await self._stay(key_id, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _stay(self, key_id: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        seat = self._limits.seat()
        if STAY in scope:
            scope[STAY].seat = seat
        try:
            refused = seat.take(client_of(scope), key_id)
            await (self._app if refused is None else refused.response())(scope, receive, send)
        finally:
            seat.leave()
