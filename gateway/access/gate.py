"""Who asks, and whether that is enough for what is asked."""

import time
from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.keys import ApiKey
from gateway.access.ring import KeyRing
from gateway.access.scopes import ScopeTable
from gateway.access.stay import Stay
from gateway.limits.limits import Limits
from gateway.limits.reached import reason_of
from gateway.limits.refusals import Refusals
from gateway.problems import ProblemError

#: In an ASGI scope: the key that a request came with; missing where none is required or none was given.
CALLER = "tickcast.caller"
#: Likewise: what watches over a connection that stays; missing where nobody is asked for a key.
STAY = "tickcast.stay"
#: Likewise: what the log is told of a refusal.
_WHAT = "tickcast.refused"
#: In which a WebSocket that was opened without a key must say who it is.
AUTH_SECONDS = 5.0


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
        refusals: Refusals,
        *,
        limits: Limits | None = None,
        table: ScopeTable | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        auth_seconds: float = AUTH_SECONDS,
    ) -> None:
        self._app = app
        self._ring = ring
        self._refusals = refusals
        self._limits = limits
        self._table = table or ScopeTable()
        self._clock_ns = clock_ns
        self._auth_seconds = auth_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it is refused."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            key = self._admit(scope)
        except ProblemError as error:
            refused = self._limits.of_refused(scope, error) if self._limits else error
            self._refusals.note(scope, reason_of(refused), scope.get(_WHAT))
            await refused.response()(scope, receive, send)
            return
        if key is not None:
            scope[CALLER] = key
        if scope["type"] == "websocket" or (key is not None and str(scope["path"]).startswith("/events/")):
            scope[STAY] = stay = Stay(self._ring, key, self._clock_ns, scope["type"], self._auth_seconds)
            await stay.run(self._app, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> ApiKey | None:
        needed = self._table.needed(scope.get("method", "GET"), scope["path"])
        text = _given_key(scope)
        if needed == frozenset():  # public: a key only shows more
            key = None if text is None else self._ring.find(text)
            return None if key is None or key.trouble(self._clock_ns()) else key
        if text is None and needed is not None and scope["type"] == "websocket":
            return None  # browsers cannot send headers there: the first message has to say it
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
        scope[_WHAT] = what
