"""What the gateway signs: access tokens, refresh tokens, and tickets for server-sent events. Each is good for one."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import ClassVar

import jwt
import msgspec
from jwt.types import Options
from msgspec import Struct

from gateway.access.callers import Kind
from gateway.access.scopes import Scope
from schemas.times import NS_PER_SECOND

ACCESS_NS = 600 * NS_PER_SECOND
TICKET_NS = 30 * NS_PER_SECOND
#: A user is known here so soon after he was made; until then his tokens speak for themselves.
NEWS_NS = 10 * NS_PER_SECOND

_ALGORITHM = "HS256"
_ISSUER = "tickcast"
_LONGEST = 2_048
_VERIFIED_KEPT = 4_096
#: Times are held against our own clock.
_OPTIONS: Options = {"require": ["iss", "aud", "sub", "iat", "exp"], "verify_exp": False, "verify_iat": False}


class Audience(StrEnum):
    """What a token is good for."""

    ACCESS = "tickcast"
    REFRESH = "tickcast-refresh"
    EVENTS = "tickcast-events"


class Claims(Struct, frozen=True, omit_defaults=True):
    """What a token says, with times in seconds since 1970.

    Attributes:
        sub: The id of a user, or of a key.
        iat: When it was signed.
        exp: From then on it is not accepted.
        sid: The user's session; empty: `sub` is a key.
        scope: What was allowed then, separated by spaces.
        jti: Makes it another one than all others.
        until: Of a ticket: when that expires by which it was asked for; None: never.
    """

    iss: str
    aud: str
    sub: str
    iat: int
    exp: int
    sid: str = ""
    scope: str = ""
    jti: str = ""
    until: int | None = None


class TokenMint:
    """Signs and reads tokens with one key, and one algorithm, whatever a token says of itself."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._read = lru_cache(_VERIFIED_KEPT)(self._verified)

    def sign(self, audience: Audience, now_ns: int, expires_ns: int, **said: str | int | None) -> str:
        """Give a token that says `sub` and whatever else `Claims` has."""
        times = {"iat": now_ns // NS_PER_SECOND, "exp": expires_ns // NS_PER_SECOND}
        claims = {"iss": _ISSUER, "aud": audience, **times, **said}
        return jwt.encode(claims, self._key, _ALGORITHM)

    def access_token(self, user_id: str, session_id: str, scopes: frozenset[Scope], now_ns: int) -> str:
        """Give an access token."""
        said = {"sub": user_id, "sid": session_id, "scope": write_words(scopes)}
        return self.sign(Audience.ACCESS, now_ns, now_ns + ACCESS_NS, **said)

    def refresh_token(self, user_id: str, session_id: str, now_ns: int, expires_ns: int) -> str:
        """Give a refresh token, another one each time."""
        said = {"sub": user_id, "sid": session_id, "jti": secrets.token_urlsafe(32)}
        return self.sign(Audience.REFRESH, now_ns, expires_ns, **said)

    def read(self, audience: Audience, text: str) -> Claims | None:
        """Give what a token says, whether or not it has expired; None: we did not sign it, or not for this."""
        if len(text) > _LONGEST:
            return None
        try:
            claims = self._read(text)
        except (jwt.PyJWTError, msgspec.ValidationError, UnicodeError, RecursionError):
            return None
        return claims if claims.aud == audience else None

    def _verified(self, text: str) -> Claims:
        said = jwt.decode(text, self._key, [_ALGORITHM], _OPTIONS, audience=list(Audience), issuer=_ISSUER)
        return msgspec.convert(said, Claims)


@dataclass(frozen=True, slots=True)
class Bearer:
    """A user, by an access token or what was given for one.

    Attributes:
        scopes: Those of the token that the user still has.
        known: This gateway has heard of the user.
        revoked: The user is disabled or removed, or the session has ended.
    """

    kind: ClassVar[Kind] = "token"

    id: str
    session: str
    scopes: frozenset[Scope]
    issued_ns: int
    expires_ns: int
    known: bool = False
    revoked: bool = False

    @property
    def who(self) -> str:
        """Name the user for the log."""
        return f"user {self.id}"

    def trouble(self, now_ns: int) -> str | None:
        """Say why it is not accepted; None where it is."""
        if self.revoked or not (self.known or now_ns < self.issued_ns + NEWS_NS):
            return "revoked"
        return "expired" if now_ns >= self.expires_ns else None


def write_words(scopes: frozenset[Scope]) -> str:
    """Write scopes as a token has them."""
    return " ".join(sorted(scopes))


def bearer_of(claims: Claims, expires_s: int) -> Bearer:
    """Give the user of whom an access token or a ticket speaks, as it says."""
    words = claims.scope.split()
    scopes = frozenset(scope for scope in Scope if scope in words)
    return Bearer(claims.sub, claims.sid, scopes, claims.iat * NS_PER_SECOND, expires_s * NS_PER_SECOND)
