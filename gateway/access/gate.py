"""Who asks, and whether that is enough for what is asked."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.access.keys import ApiKey
from gateway.access.ring import KeyRing
from gateway.access.scopes import ScopeTable
from gateway.problems import ProblemError
from schemas.close_codes import CLOSE_REASONS, CloseCode

#: In an ASGI scope: the key that a request came with; missing where none is required or none was given.
CALLER = "tickcast.caller"
_CLOSE_SECONDS = 1.0
_DAY_SECONDS = 86_400.0

_log = logging.getLogger(__name__)


def _unauthorised(name: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNAUTHORIZED, name, detail, {"WWW-Authenticate": 'Bearer realm="tickcast"'})


def _given_key(scope: Scope) -> str | None:
    """Give the key of `X-API-Key` or `Authorization: Bearer`."""
    for name, value in scope["headers"]:
        if name == b"x-api-key":
            return str(value, "latin-1")
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return str(value[7:].strip(), "latin-1")
    return None


class Gate:
    """Lets a request on when its key has the scopes that its path asks for; watches over connections that stay."""

    def __init__(
        self,
        app: ASGIApp,
        ring: KeyRing,
        *,
        table: ScopeTable | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._app = app
        self._ring = ring
        self._table = table or ScopeTable()
        self._clock_ns = clock_ns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it is refused."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            key = self._admit(scope)
        except ProblemError as refused:
            await refused.response()(scope, receive, send)
            return
        if key is not None:
            scope[CALLER] = key
        if key is not None and _stays(scope):
            await Stay(self._ring, key, self._clock_ns, scope["type"]).run(self._app, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> ApiKey | None:
        needed = self._table.needed(scope.get("method", "GET"), scope["path"])
        text = _given_key(scope)
        if needed == frozenset():  # public: a key only shows more
            key = None if text is None else self._ring.find(text)
            return None if key is None or key.trouble(self._clock_ns()) else key
        key = self._identified(scope, text)
        if needed is None:
            detail = f"{scope.get('method', 'GET')} {scope['path'][:100]} is open to nobody: /docs lists what there is"
            raise ProblemError(HTTPStatus.FORBIDDEN, "not-open", detail)
        if missing := sorted(needed - key.scopes):
            self._log_refusal(scope, f"key {key.id} lacks {', '.join(missing)}")
            detail = f"this key lacks the scope {', '.join(missing)}: ask for one that has it"
            raise ProblemError(HTTPStatus.FORBIDDEN, "too-little-scope", detail)
        return key

    def _identified(self, scope: Scope, text: str | None) -> ApiKey:
        if text is None:
            raise _unauthorised("key-required", "this gateway asks for a key: send it as X-API-Key")
        key = self._ring.find(text)
        if key is None:
            self._log_refusal(scope, "unknown key")
            raise _unauthorised("wrong-key", "this key is not known here: check X-API-Key")
        if trouble := key.trouble(self._clock_ns()):
            self._log_refusal(scope, f"key {key.id} is {trouble}")
            raise _unauthorised(
                f"{trouble}-key", f"this key has {'expired' if trouble == 'expired' else 'been revoked'}"
            )
        return key

    def _log_refusal(self, scope: Scope, what: str) -> None:
        client = scope.get("client")
        _log.warning("refused %s: %s", client[0] if client else "a client", what)


def _stays(scope: Scope) -> bool:
    return scope["type"] == "websocket" or str(scope["path"]).startswith("/events/")


class Stay:
    """One connection that stays open, until its key is revoked or expires."""

    def __init__(self, ring: KeyRing, key: ApiKey, clock_ns: Callable[[], int], kind: str) -> None:
        self._ring = ring
        self._key = key
        self._clock_ns = clock_ns
        self._kind = kind
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[CloseCode] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; once the key holds no more, it sees that its client is gone."""
        self._ring.watch(self._key, self._told)
        try:
            await app(scope, self._receiving(receive, send), self._sending(send))
        finally:
            self._ring.leave(self._key, self._told)
            if self._timer is not None:
                self._timer.cancel()

    def _told(self, key: ApiKey) -> None:
        if self._timer is not None:
            self._timer.cancel()
        trouble = key.trouble(self._clock_ns())
        if trouble is not None and not self._ended.done():
            self._ended.set_result(CloseCode.REVOKED if trouble == "revoked" else CloseCode.AUTH_EXPIRED)
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
