"""Limits, around what answers."""

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.gate import CALLER, STAY
from gateway.limits.clients import client_of
from gateway.limits.limits import Limits
from gateway.limits.reached import reason_of
from gateway.limits.refusals import Refusals
from gateway.problems import ProblemError
from schemas.sockets import EVENTS_PATH


class Limited:
    """Counts what is let in, and refuses what is too much."""

    def __init__(self, app: ASGIApp, limits: Limits, refusals: Refusals) -> None:
        self._app = app
        self._limits = limits
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it is one too many."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        caller = scope.get(CALLER)
        key_id = None if caller is None else caller.id
        refused = self._limits.refusal(scope, key_id)
        if refused is not None:
            await self._refuse(refused, scope, receive, send)
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
            if refused is not None:
                await self._refuse(refused, scope, receive, send)
            else:
                await self._app(scope, receive, send)
        finally:
            seat.leave()

    async def _refuse(self, refused: ProblemError, scope: Scope, receive: Receive, send: Send) -> None:
        reason = reason_of(refused)
        who = scope[CALLER].who if CALLER in scope else "a client without a key"
        self._refusals.note(scope, reason, f"{who} reached the {reason.replace('-', ' ', 1)}")
        await refused.response()(scope, receive, send)
