"""A connection that stays open: for as long as whoever opened it may."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.access.callers import Caller
from gateway.access.identity import Identity
from gateway.access.scopes import Scope as Permission
from gateway.limits.seats import Seat
from schemas.close_codes import CloseCode
from schemas.log_events import LogEvent, about
from schemas.times import NS_PER_SECOND

#: So long before a key or token expires, a client that can send another one is told.
EXPIRING_NS = 60 * NS_PER_SECOND

#: For the answer to a message that ends the connection.
_ANSWER_SECONDS = 1.0
_DAY_SECONDS = 86_400.0

_log = logging.getLogger(__name__)


class Stay:
    """One connection that stays open, until its key or token is revoked or expires.

    Attributes:
        caller: Whoever opened it; None until a message has said it, for which there is little time.
        seat: What it is counted with; None where nobody counts.
    """

    def __init__(
        self,
        identity: Identity,
        caller: Caller | None,
        clock_ns: Callable[[], int],
        kind: str,
        auth_seconds: float,
        note_refusal: Callable[[str, str], None],
    ) -> None:
        """Watch a connection of a `kind` of ASGI; `note_refusal` takes a reason, and words for the log."""
        self.caller = caller
        self.seat: Seat | None = None
        self._identity = identity
        self._auth_seconds = auth_seconds
        self._clock_ns = clock_ns
        self._kind = kind
        self._note_refusal = note_refusal
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[CloseCode] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._expires_ns: int | None = None
        self._warn_ns: int | None = None
        self._say_expiring: Callable[[int], None] = _nobody_listens
        self._say_opened: Callable[[Caller], None] = _nobody_listens
        self._say_ended: Callable[[CloseCode], None] = _nobody_listens

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; once the caller may stay no more, it is told so, and sees that its client is gone."""
        if self.caller is None:
            self._timer = self._loop.call_later(self._auth_seconds, self.end, CloseCode.AUTH_REQUIRED)
        else:
            self._identity.watch(self.caller, self._told)
        try:
            await app(scope, self._receiving(receive), send)
        finally:
            self._leave()

    def identify(self, text: str) -> CloseCode | None:
        """Take a key or token that came in a message; a wrong one ends the connection, with the code that this
        gives."""
        caller = self._identity.find(text)
        if caller is None or caller.trouble(self._clock_ns()):
            who = "" if caller is None else f": {caller.who}"
            return self._refuse(CloseCode.AUTH_FAILED, "auth-failed", f"a WebSocket sent a wrong key or token{who}")
        if Permission.STREAM not in caller.scopes:
            return self._refuse(CloseCode.FORBIDDEN, "too-little-scope", f"{caller.who} lacks {Permission.STREAM}")
        if self.seat is not None and not self.seat.belong_to(caller.id):
            what = f"{caller.who} has too many connections"
            return self._refuse(CloseCode.TOO_MANY_CONNECTIONS, "too-many-connections", what)
        self._leave()
        before, self.caller = self.caller, caller
        if before is None:
            self._say_opened(caller)
        self._identity.watch(caller, self._told)
        return None

    def _refuse(self, code: CloseCode, reason: str, what: str) -> CloseCode:
        self._note_refusal(reason, what)
        self._settle(code)
        self._loop.call_later(_ANSWER_SECONDS, self._tell_the_end)  # if the client reads: once it has the answer
        return code

    def when_expiring(self, say: Callable[[int], None]) -> None:
        """Have said, a minute before, at what time the caller may stay no longer."""
        self._say_expiring = say

    def when_opened(self, say: Callable[[Caller], None]) -> None:
        """Have said who opened the connection, once a message tells it."""
        self._say_opened = say

    def when_ended(self, say: Callable[[CloseCode], None]) -> None:
        """Have said, perhaps more than once, that the connection ends: whoever listens closes it, whatever waits."""
        self._say_ended = say
        self._tell_the_end()

    def end(self, code: CloseCode) -> None:
        """End the connection."""
        self._settle(code)
        self._tell_the_end()

    def _settle(self, code: CloseCode) -> None:
        if not self._ended.done():
            self._ended.set_result(code)

    def _tell_the_end(self) -> None:
        if self._ended.done():
            self._say_ended(self._ended.result())

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.caller is not None:
            self._identity.leave(self.caller, self._told)

    def _told(self, caller: Caller) -> None:
        """Take a caller as he is now: end, or see to it that this is looked at again in time."""
        if self._timer is not None:
            self._timer.cancel()
        code = _ending(caller, self._clock_ns())
        if code is not None:
            self.end(code)
            said = about(LogEvent.CONNECTION_ENDED, caller=caller.id, code=code.name.lower())
            _log.info("a connection of %s ends: %s", caller.who, code.name.lower(), extra=said)
        elif caller.expires_ns is not None:
            wake_ns = self._next_moment(caller.expires_ns, self._clock_ns())
            left_seconds = (wake_ns - self._clock_ns()) / NS_PER_SECOND
            self._timer = self._loop.call_later(min(left_seconds, _DAY_SECONDS), self._told, caller)

    def _next_moment(self, expires_ns: int, now_ns: int) -> int:
        """Say once of each end that it comes; give when there is something to do next."""
        if expires_ns != self._expires_ns:
            self._expires_ns = expires_ns
            self._warn_ns = max(expires_ns - EXPIRING_NS, (now_ns + expires_ns) // 2)
        if self._warn_ns is not None and now_ns >= self._warn_ns:
            self._warn_ns = None
            self._say_expiring(expires_ns)
        return expires_ns if self._warn_ns is None else self._warn_ns

    def _receiving(self, receive: Receive) -> Receive:
        async def received() -> Message:
            waiting = asyncio.ensure_future(receive())
            both: set[asyncio.Future[Any]] = {waiting, self._ended}
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not waiting.done():
                    waiting.cancel()
            if not self._ended.done():
                return waiting.result()
            self._tell_the_end()
            return {"type": f"{self._kind}.disconnect", "code": int(self._ended.result())}

        return received


def _ending(caller: Caller, now_ns: int) -> CloseCode | None:
    trouble = caller.trouble(now_ns)
    if trouble is not None:
        return CloseCode.REVOKED if trouble == "revoked" else CloseCode.AUTH_EXPIRED
    return None if Permission.STREAM in caller.scopes else CloseCode.FORBIDDEN


def _nobody_listens(_said: object) -> None: ...
