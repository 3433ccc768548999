"""Clients behind proxies: whose address counts."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.authorities import read_authority

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Longer than any address with its port: nothing longer is remembered.
_MOST_CHARACTERS = 64


class Proxies:
    """Those whose `X-Forwarded-For` is believed."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._networks = tuple(networks)

    def client_of(self, peer: str, forwarded: Iterable[str]) -> str:
        """Give the address that a request comes from.

        Args:
            peer: Who connected.
            forwarded: The values of `X-Forwarded-For`; what the nearest proxy says is last.

        Returns:
            The last one that is no proxy of ours, the first one where all are; where the proxies say anything that is
            no address, or nothing, the peer.
        """
        address = _read(peer)
        if address is None or not self._ours(address):
            return peer
        for text in reversed(",".join(forwarded).split(",")):
            address = _read(text.strip())
            if address is None:
                return peer
            if not self._ours(address):
                break
        return str(address)

    def _ours(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _read(text: str) -> Address | None:
    """Read an address, which some proxies give with its port; None where it is none."""
    return _read_short(text) if len(text) <= _MOST_CHARACTERS else None


@lru_cache(maxsize=4_096)
def _read_short(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        authority = read_authority(text)
        return None if authority is None or authority.host == text else _read(authority.host)
    mapped = address.ipv4_mapped if address.version == 6 else None
    return mapped or address


class Forwarded:
    """Puts the client's address in the place of the proxy's, before anybody looks at it."""

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        client = scope.get("client")
        if client is not None:
            forwarded = [str(value, "latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
            scope = {**scope, "client": (self._proxies.client_of(client[0], forwarded), client[1])}
        await self._app(scope, receive, send)
