"""Names of servers as HTTP writes them: `host`, `host:port`, `scheme://host:port`."""

import re
from typing import NamedTuple

_AUTHORITY = re.compile(r"([a-z0-9_][a-z0-9_.-]*|\[[0-9a-f.]*:[0-9a-f:.]*\])(?::(\d{0,5}))?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LARGEST_PORT = 65_535


class Authority(NamedTuple):
    """A host, in lower case and without brackets or the dot at its end, and the port where one is given."""

    host: str
    port: int | None


class WebOrigin(NamedTuple):
    """Where a page comes from; a port that is the scheme's default is given too."""

    scheme: str
    host: str
    port: int | None


def read_authority(text: str) -> Authority | None:
    """Read `host` or `host:port`; None where it is neither."""
    match = _AUTHORITY.fullmatch(text.lower())
    if match is None:
        return None
    host, port = match[1].strip("[]").rstrip("."), int(match[2]) if match[2] else None
    return None if port is not None and port > _LARGEST_PORT else Authority(host, port)


def read_origin(text: str) -> WebOrigin | None:
    """Read `scheme://host` or `scheme://host:port`; None where it is neither."""
    scheme, _, rest = text.lower().partition("://")
    authority = read_authority(rest)
    if authority is None or not _SCHEME.fullmatch(scheme):
        return None
    return WebOrigin(scheme, authority.host, authority.port or _DEFAULT_PORTS.get(scheme))
