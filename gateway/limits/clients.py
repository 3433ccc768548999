"""Whom a request is counted for where no key says it: the address that it came from."""

import ipaddress
from functools import lru_cache

from starlette.types import Scope

#: What one customer of a provider has of IPv6, at least.
_IPV6_PREFIX = 64
_NOBODY = "unknown"


def address_of(scope: Scope) -> str:
    """Give the address of a request's client."""
    client = scope.get("client")
    return str(client[0]) if client else _NOBODY


def client_of(scope: Scope) -> str:
    """Give whom a request is counted for: its address, of IPv6 the /64 that it is in."""
    return network_of(address_of(scope))


@lru_cache(maxsize=4_096)
def network_of(address: str) -> str:
    """Give what is one client: an address of IPv4, a /64 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), _IPV6_PREFIX), strict=False))
