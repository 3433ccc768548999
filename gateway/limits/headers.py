"""`RateLimit-Policy` and `RateLimit` as draft-ietf-httpapi-ratelimit-headers-11 has them, encoded once."""

from functools import lru_cache

from gateway.limits.buckets import Limit

#: In an ASGI scope: the headers that the answer gets, whatever it is.
LIMIT_HEADERS = "tickcast.limit_headers"

Header = tuple[bytes, bytes]


def policy_header(limit: Limit) -> Header:
    """Say what holds: a full bucket, and the seconds in which it becomes full."""
    return b"ratelimit-policy", f'"{limit.name}";q={limit.burst};w={limit.window_seconds}'.encode()


@lru_cache(maxsize=4_096)
def standing_header(name: str, left: int, next_seconds: int) -> Header:
    """Say what is left, and in how many seconds one more is there."""
    return b"ratelimit", f'"{name}";r={left};t={next_seconds}'.encode()
