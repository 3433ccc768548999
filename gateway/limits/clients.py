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


@lru_cache(maxsize=4_096)
def owner_of(address: str) -> str:
    """Give whose bucket an address counts against: its own, for IPv6 that of its /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), _IPV6_PREFIX), strict=False))
