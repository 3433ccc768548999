"""API keys: `tc_<id>_<secret>`, of which only the SHA-256 is kept."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import ClassVar

from gateway.access.callers import Kind
from gateway.access.scopes import Scope

#: What every key begins with.
KEY_PREFIX = "tc_"

_ID_BYTES = 6
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key.

    Attributes:
        sha256: Of the whole text.
        expires_ns: From this wall time on it is not accepted; None: never.
        revoked_ns: When it was revoked.
    """

    kind: ClassVar[Kind] = "key"

    id: str
    name: str
    sha256: str
    scopes: frozenset[Scope]
    created_ns: int
    expires_ns: int | None = None
    revoked_ns: int | None = None

    @property
    def who(self) -> str:
        """Name it for the log."""
        return f"key {self.id}"

    def trouble(self, now_ns: int) -> str | None:
        """Say why it is not accepted; None where it is."""
        if self.revoked_ns is not None:
            return "revoked"
        if self.expires_ns is not None and now_ns >= self.expires_ns:
            return "expired"
        return None


def digest_of(text: str) -> str:
    """Give the SHA-256 by which a key is found."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def make_key(name: str, scopes: frozenset[Scope], now_ns: int, expires_ns: int | None = None) -> tuple[str, ApiKey]:
    """Make a key: its text, which is shown once, and what is kept."""
    identifier = secrets.token_hex(_ID_BYTES)
    text = f"{KEY_PREFIX}{identifier}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return text, ApiKey(identifier, name, digest_of(text), scopes, now_ns, expires_ns)
