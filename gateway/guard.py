"""Who may come in: the `Host` that is asked for, and the `Origin` whose page asks (CORS)."""

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.access.scopes import ScopeTable
from gateway.authorities import read_authority, read_origin
from gateway.limits.refusals import Refusals
from gateway.problems import ProblemError
from gateway.settings import ANY_HOST, GatewaySettings

_LOCAL = ("localhost", "127.0.0.1", "::1")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOKED_AT = frozenset({b"host", b"origin"})
#: Headers of hosts, as they were written.
_REMEMBERED = 1_024
_WEB_SCHEMES = frozenset({"http", "https"})
#: What pages may send beyond what every page may, and for how long a browser may take our word for it.
_PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Headers": "X-API-Key, Authorization, Content-Type, Idempotency-Key, If-None-Match, "
    "Last-Event-ID",
    "Access-Control-Max-Age": "600",
}
#: What pages may read of an answer beside its body.
_EXPOSED_HEADERS = "ETag, Location, RateLimit, RateLimit-Policy, Retry-After, X-Response-Time, X-Trace-Id"


def _is_preflight(scope: Scope, headers: Headers) -> bool:
    asks = scope["type"] == "http" and scope["method"] == "OPTIONS"
    return asks and "origin" in headers and "access-control-request-method" in headers


class Guard:
    """Refuses a foreign `Host`, and from a foreign `Origin` whatever changes something or opens a WebSocket.

    Browsers ask before they send what no plain page could: those questions are answered here, before anybody is asked
    for a key, which they never carry.
    """

    def __init__(self, app: ASGIApp, settings: GatewaySettings, refusals: Refusals) -> None:
        self._app = app
        self._refusals = refusals
        self._table = ScopeTable()
        listening = settings.gateway_host.strip("[]").rstrip(".").lower()
        self._hosts = frozenset({*_LOCAL, listening, *settings.allowed_hosts})
        self._origins = frozenset(read_origin(origin) for origin in settings.allowed_origins)
        self._let_in: set[tuple[bytes, bytes]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer that it is refused."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if self._is_like_one_before(scope):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._host_refusal(headers.getlist("host")) or self._origin_refusal(scope, headers)
        if refusal is not None:
            self._refusals.note(scope, refusal.name, refusal.name.replace("-", " "))
            await refusal.response()(scope, receive, self._readable_for(headers.get("origin"), send))
            return
        self._remember(scope)
        app = self._preflight_answer(scope["path"]) if _is_preflight(scope, headers) else self._app
        await app(scope, receive, self._readable_for(headers.get("origin"), send))

    def _preflight_answer(self, path: str) -> Response:
        methods = {"Access-Control-Allow-Methods": ", ".join(self._table.methods(path))}
        return Response(None, HTTPStatus.NO_CONTENT, _PREFLIGHT_HEADERS | methods)

    def _is_like_one_before(self, scope: Scope) -> bool:
        """Tell whether no page asks, and by a name that was let in before: so it is with nearly all requests."""
        found = [header for header in scope["headers"] if header[0] in _LOOKED_AT]
        return len(found) == 1 and found[0] in self._let_in

    def _remember(self, scope: Scope) -> None:
        if not self._origins and len(self._let_in) < _REMEMBERED:  # where origins are allowed, answers vary by them
            self._let_in.update(header for header in scope["headers"] if header[0] == b"host")

    def _host_refusal(self, hosts: list[str]) -> ProblemError | None:
        if len(hosts) != 1:
            detail = f"the request has {len(hosts)} Host headers: send exactly one"
            return ProblemError(HTTPStatus.BAD_REQUEST, "invalid-host", detail)
        if self.host_is_ours(hosts[0]):
            return None
        authority = read_authority(hosts[0])
        if authority is None:
            detail = f"the Host header {hosts[0][:100]!r} is not a host name"
        else:
            detail = (
                f"this gateway is not known as {authority.host[:100]!r}: "
                "if it should be, add that name to TICKCAST_ALLOWED_HOSTS"
            )
        return ProblemError(HTTPStatus.MISDIRECTED_REQUEST, "foreign-host", detail)

    def _origin_refusal(self, scope: Scope, headers: Headers) -> ProblemError | None:
        changes = scope["type"] == "websocket" or scope["method"] not in _READING or _is_preflight(scope, headers)
        origin = headers.get("origin")
        if not changes or origin is None or self.origin_is_ours(origin, headers["host"]):
            return None
        if read_origin(origin) is None:
            detail = f"the Origin header {origin[:100]!r} does not name a site: its pages may only read"
        else:
            detail = (
                f"pages of {origin[:100]!r} may only read: "
                "if they should be let in, add that origin to TICKCAST_ALLOWED_ORIGINS"
            )
        return ProblemError(HTTPStatus.FORBIDDEN, "foreign-origin", detail)

    def host_is_ours(self, host: str) -> bool:
        """Tell whether a `Host` header names this gateway, at any port."""
        authority = read_authority(host)
        return authority is not None and (ANY_HOST in self._hosts or authority.host in self._hosts)

    def origin_is_ours(self, origin: str, host: str) -> bool:
        """Tell whether an `Origin` is the gateway's own page (by the `Host` asked for), or one that is allowed."""
        theirs = read_origin(origin)
        if theirs is None:
            return False
        own_page = theirs.scheme in _WEB_SCHEMES and theirs == read_origin(f"{theirs.scheme}://{host}")
        return own_page or theirs in self._origins

    def _readable_for(self, origin: str | None, send: Send) -> Send:
        """Let pages of allowed origins read the answers, and tell caches that answers hang on the origin."""
        if not self._origins:
            return send
        allowed = origin is not None and read_origin(origin) in self._origins

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if allowed:
                    headers["Access-Control-Allow-Origin"] = str(origin)
                    headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
            await send(message)

        return send_with_headers
