"""A connection that stays open: for as long as whoever opened it may."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.access.keys import ApiKey
from gateway.access.ring import KeyRing
from gateway.access.scopes import Scope as Permission
from gateway.limits.seats import Seat
from schemas.close_codes import CLOSE_REASONS, CloseCode

_CLOSE_SECONDS = 1.0
_DAY_SECONDS = 86_400.0

_log = logging.getLogger(__name__)


class Stay:
    """One connection that stays open, until its key is revoked or expires.

    Attributes:
        key: That of whoever opened it; None until a message has said it, for which there is little time.
        seat: What it is counted with; None where nobody counts.
    """

    def __init__(
        self, ring: KeyRing, key: ApiKey | None, clock_ns: Callable[[], int], kind: str, auth_seconds: float
    ) -> None:
        self.key = key
        self.seat: Seat | None = None
        self._ring = ring
        self._auth_seconds = auth_seconds
        self._clock_ns = clock_ns
        self._kind = kind
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[CloseCode] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; once the key holds no more, it sees that its client is gone."""
        if self.key is None:
            self._timer = self._loop.call_later(self._auth_seconds, self.end, CloseCode.AUTH_REQUIRED)
        else:
            self._ring.watch(self.key, self._told)
        try:
            await app(scope, self._receiving(receive, send), self._sending(send))
        finally:
            self._leave()

    def identify(self, text: str) -> CloseCode | None:
        """Take a key that came in a message; a wrong one ends the connection, with the code that this gives."""
        key = self._ring.find(text)
        if key is None or key.trouble(self._clock_ns()):
            _log.warning("a WebSocket sent a key that is %s", "unknown" if key is None else f"not good: {key.id}")
            self.end(CloseCode.AUTH_FAILED)
            return CloseCode.AUTH_FAILED
        if Permission.STREAM not in key.scopes:
            _log.warning("key %s lacks %s", key.id, Permission.STREAM)
            self.end(CloseCode.FORBIDDEN)
            return CloseCode.FORBIDDEN
        if self.seat is not None and not self.seat.belong_to(key.id):
            self.end(CloseCode.TOO_MANY_CONNECTIONS)
            return CloseCode.TOO_MANY_CONNECTIONS
        self._leave()
        self.key = key
        self._ring.watch(key, self._told)
        return None

    def end(self, code: CloseCode) -> None:
        """End the connection."""
        if not self._ended.done():
            self._ended.set_result(code)

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.key is not None:
            self._ring.leave(self.key, self._told)

    def _told(self, key: ApiKey) -> None:
        if self._timer is not None:
            self._timer.cancel()
        trouble = key.trouble(self._clock_ns())
        if trouble is not None:
            self.end(CloseCode.REVOKED if trouble == "revoked" else CloseCode.AUTH_EXPIRED)
            _log.info("a connection of key %s ends: %s", key.id, trouble)
        elif key.expires_ns is not None:
            left_seconds = (key.expires_ns - self._clock_ns()) / 1e9
            self._timer = self._loop.call_later(min(left_seconds, _DAY_SECONDS), self._told, key)

    def _receiving(self, receive: Receive, send: Send) -> Receive:
        async def received() -> Message:
            waiting = asyncio.ensure_future(receive())
            both: set[asyncio.Future[Any]] = {waiting, self._ended}
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not waiting.done():
                    waiting.cancel()
            return await self._close(send) if self._ended.done() else waiting.result()

        return received

    async def _close(self, send: Send) -> Message:
        if self._kind == "http":
            return {"type": "http.disconnect"}
        code = self._ended.result()
        if not self._closed:
            self._closed = True
            with contextlib.suppress(TimeoutError, OSError):  # who reads nothing is not waited for
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await send({"type": "websocket.close", "code": int(code), "reason": CLOSE_REASONS[code]})
        return {"type": "websocket.disconnect", "code": int(code)}

    def _sending(self, send: Send) -> Send:
        async def sent(message: Message) -> None:
            if not self._closed:
                await send(message)

        return sent
