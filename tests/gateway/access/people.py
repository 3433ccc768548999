"""Keys and users that a gateway knows."""

from dataclasses import replace
from typing import Any

from gateway.access.keys import ApiKey, make_key
from gateway.access.scopes import Scope
from gateway.access.tokens import ACCESS_NS, Audience, write_words
from gateway.access.users import User
from gateway.parts import Parts
from tests.gateway.samples import NOON_NS

EVERYTHING = frozenset(Scope)


def key_of(parts: Parts, *scopes: Scope, **changes: Any) -> tuple[str, ApiKey]:
    """Make a key that the gateway knows."""
    text, key = make_key("test", frozenset(scopes), NOON_NS - 1)
    kept = replace(key, **changes)
    parts.keys.accept([kept])
    return text, kept


def token_of(
    parts: Parts,
    *scopes: Scope,
    user: str = "ada",
    session: str = "session",
    lifetime_ns: int = ACCESS_NS,
    audience: Audience = Audience.ACCESS,
    **changes: Any,
) -> str:
    """Make a token of a user that the gateway knows; `changes` are of the user."""
    parts.keys.accept(users=[replace(User(user, user, EVERYTHING, NOON_NS), **changes)])
    now_ns = parts.clock_ns()
    said = {"sub": user, "sid": session, "scope": write_words(frozenset(scopes))}
    return parts.mint.sign(audience, now_ns, now_ns + lifetime_ns, **said)
