"""Who asks, and whether that is enough for what is asked."""

import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.callers import Caller, Kind
from gateway.access.identity import Identity
from gateway.access.keys import KEY_PREFIX
from gateway.access.scopes import ScopeTable
from gateway.access.stay import Stay
from gateway.limits.limits import Limits
from gateway.limits.reached import reason_of
from gateway.limits.refusals import Refusals
from gateway.problems import ProblemError
from schemas.sockets import EVENTS_PATH

#: In an ASGI scope: who asks; missing where nobody has to say it, and he did not.
CALLER = "tickcast.caller"
#: Likewise: what watches over a connection that stays; missing where nobody is asked for a key.
STAY = "tickcast.stay"
#: Likewise: what the log is told of a refusal.
_WHAT = "tickcast.refused"
#: In which a WebSocket that was opened without a key must say who it is.
AUTH_SECONDS = 5.0
#: WebSockets at a time that have not said it yet.
MOST_STRANGERS = 500


_HOW = "send an API key as X-API-Key, or an access token as Authorization: Bearer"


def _unauthorised(name: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNAUTHORIZED, name, detail, {"WWW-Authenticate": 'Bearer realm="tickcast"'})


def _given_text(scope: Scope) -> str | None:
    """Give the key of `X-API-Key`, or the key or access token of `Authorization: Bearer`."""
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
        identity: Identity,
        refusals: Refusals,
        *,
        limits: Limits | None = None,
        table: ScopeTable | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        auth_seconds: float = AUTH_SECONDS,
        most_strangers: int = MOST_STRANGERS,
    ) -> None:
        """Stand before an application; of WebSockets that have not said who it is, `most_strangers` may be open."""
        self._app = app
        self._identity = identity
        self._refusals = refusals
        self._limits = limits
        self._table = table or ScopeTable()
        self._clock_ns = clock_ns
        self._auth_seconds = auth_seconds
        self._most_strangers = most_strangers
        self._strangers: set[Stay] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it is refused."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            caller = self._admit(scope)
        except ProblemError as error:
            refused = self._limits.of_refused(scope, error) if self._limits else error
            self._refusals.note(scope, reason_of(refused), scope.get(_WHAT))
            await refused.response()(scope, receive, send)
            return
        if caller is not None:
            scope[CALLER] = caller
        if scope["type"] == "websocket" or (caller is not None and scope["path"] == EVENTS_PATH):
            note = partial(self._refusals.note, scope)
            stay = Stay(self._identity, caller, self._clock_ns, scope["type"], self._auth_seconds, note)
            scope[STAY] = stay
            if caller is None:
                self._strangers.add(stay)
            try:
                await stay.run(self._app, scope, receive, send)
            finally:
                self._strangers.discard(stay)
        else:
            await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> Caller | None:
        needed = self._table.needed(scope.get("method", "GET"), scope["path"])
        text = _given_text(scope)
        if needed == frozenset():  # public: who says who he is only sees more
            caller = None if text is None else self._identity.find(text)
            return None if caller is None or caller.trouble(self._clock_ns()) else caller
        if text is None and needed is not None and scope["type"] == "websocket":
            self._require_room_for_a_stranger()
            return None  # browsers cannot send headers there: the first message has to say it
        caller = self._identified(scope, text)
        if needed is None:
            detail = f"{scope.get('method', 'GET')} {scope['path'][:100]} is open to nobody: /docs lists what there is"
            raise ProblemError(HTTPStatus.FORBIDDEN, "not-open", detail)
        if missing := sorted(needed - caller.scopes):
            self._log_refusal(scope, f"{caller.who} lacks {', '.join(missing)}")
            detail = f"this {caller.kind} lacks the scope {', '.join(missing)}: ask for one that has it"
            raise ProblemError(HTTPStatus.FORBIDDEN, "too-little-scope", detail)
        return caller

    def _identified(self, scope: Scope, text: str | None) -> Caller:
        if text is None:
            return self._ticket_holder(scope)
        caller = self._identity.find(text)
        if caller is None:
            kind: Kind = "key" if text.startswith(KEY_PREFIX) else "token"
            self._log_refusal(scope, f"unknown {kind}")
            raise _unauthorised(f"wrong-{kind}", f"this {kind} is not known here: {_HOW}")
        return self._untroubled(scope, caller)

    def _ticket_holder(self, scope: Scope) -> Caller:
        """Give whoever asked for the ticket in the query: browsers cannot send headers with an EventSource."""
        text = QueryParams(scope.get("query_string", b"")).get("ticket") if scope["path"] == EVENTS_PATH else None
        if text is None:
            raise _unauthorised("key-required", f"this gateway asks who you are: {_HOW}")
        caller = self._identity.of_ticket(text, self._clock_ns())
        if caller is None:
            self._log_refusal(scope, "unknown or expired ticket")
            detail = "this ticket is not good (any more): get another one by POST /events/ticket"
            raise _unauthorised("wrong-ticket", detail)
        return self._untroubled(scope, caller)

    def _untroubled(self, scope: Scope, caller: Caller) -> Caller:
        if trouble := caller.trouble(self._clock_ns()):
            self._log_refusal(scope, f"{caller.who}: the {caller.kind} is {trouble}")
            said = "expired" if trouble == "expired" else "been revoked"
            raise _unauthorised(f"{trouble}-{caller.kind}", f"this {caller.kind} has {said}")
        return caller

    def _require_room_for_a_stranger(self) -> None:
        """Keep those who say nothing from taking every place there is."""
        if len(self._strangers) >= self._most_strangers:
            self._strangers = {stay for stay in self._strangers if stay.caller is None}
        if len(self._strangers) >= self._most_strangers:
            detail = (
                f"{self._most_strangers} WebSockets are open that have not said who it is: send the key in the header "
                "X-API-Key, or try again in a few seconds"
            )
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too-many-strangers", detail, {"Retry-After": "5"})

    def _log_refusal(self, scope: Scope, what: str) -> None:
        scope[_WHAT] = what
