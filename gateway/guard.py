"""Who may come in: the `Host` that is asked for, and the `Origin` whose page asks."""

from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.problems import ProblemError
from gateway.settings import GatewaySettings

ANY = "*"
_LOCAL = ("localhost", "127.0.0.1", "::1")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=256)
def _host_and_port(authority: str) -> tuple[str, int | None] | None:
    """Split `name:port`; None where it is neither."""
    try:
        parts = urlsplit(f"//{authority}")
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or parts.netloc != authority or "@" in authority:
        return None
    return parts.hostname.rstrip("."), port


class Guard:
    """Refuses a foreign `Host`, and from a foreign `Origin` whatever changes something or opens a WebSocket."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings) -> None:
        self._app = app
        names = {*_LOCAL, settings.gateway_host, *settings.allowed_hosts}
        self._hosts = frozenset(name.strip("[]").lower() for name in names)
        self._origins = frozenset(origin.rstrip("/").lower() for origin in settings.allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer that it is refused."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal.response()(scope, receive, send)
        else:
            await self._app(scope, receive, self._readable_for(headers.get("origin"), send))

    def _refusal(self, scope: Scope, headers: Headers) -> ProblemError | None:
        host = headers.get("host", "")
        if not self.host_is_ours(host):
            return ProblemError(
                HTTPStatus.MISDIRECTED_REQUEST,
                "foreign-host",
                f"this gateway is not {host[:100]!r}: add the name to TICKCAST_ALLOWED_HOSTS if it should be",
            )
        changes = scope["type"] == "websocket" or scope["method"] not in _READING
        origin = headers.get("origin")
        if changes and origin is not None and not self.origin_is_ours(origin, host):
            return ProblemError(
                HTTPStatus.FORBIDDEN,
                "foreign-origin",
                f"pages of {origin[:100]!r} may not do this: add it to TICKCAST_ALLOWED_ORIGINS if they should",
            )
        return None

    def host_is_ours(self, host: str) -> bool:
        """Tell whether a `Host` header names this gateway, at any port."""
        split = _host_and_port(host)
        return split is not None and (ANY in self._hosts or split[0] in self._hosts)

    def origin_is_ours(self, origin: str, host: str) -> bool:
        """Tell whether an `Origin` is the gateway's own page (by the `Host` asked for), or one that is allowed."""
        if origin.lower() in self._origins:
            return True
        scheme, separator, authority = origin.lower().partition("://")
        theirs, ours = _host_and_port(authority), _host_and_port(host.lower())
        if not separator or scheme not in _DEFAULT_PORTS or theirs is None or ours is None:
            return False
        default = _DEFAULT_PORTS[scheme]
        return (theirs[0], theirs[1] or default) == (ours[0], ours[1] or default)

    def _readable_for(self, origin: str | None, send: Send) -> Send:
        """Let pages of allowed origins read the answers."""
        if origin is None or origin.lower() not in self._origins:
            return send

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = origin
                headers.add_vary_header("Origin")
            await send(message)

        return send_with_header
