"""Keys in the database. Whoever asks from an event loop does so in a thread."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Engine, select, update

from gateway.access.keys import ApiKey
from gateway.access.scopes import Scope
from gateway.database.accounts import API_KEYS


class KeyStore:
    """Reads and writes `api_keys`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, key: ApiKey) -> None:
        """Keep a new key."""
        row = asdict(key) | {"scopes": ",".join(sorted(key.scopes))}
        with self._engine.begin() as connection:
            connection.execute(API_KEYS.insert(), row)

    def changed_since(self, changed_ns: int = 0) -> list[ApiKey]:
        """Give the keys that were written at a time or later, oldest first."""
        wanted = select(API_KEYS).where(API_KEYS.c.changed_ns >= changed_ns).order_by(API_KEYS.c.created_ns)
        with self._engine.connect() as connection:
            return [_key(row) for row in connection.execute(wanted).mappings()]

    def find(self, identifier: str) -> ApiKey | None:
        """Give a key by its id."""
        with self._engine.connect() as connection:
            row = connection.execute(select(API_KEYS).where(API_KEYS.c.id == identifier)).mappings().first()
            return None if row is None else _key(row)

    def revoke(self, identifier: str, now_ns: int) -> None:
        """Let a key in no more, from now on."""
        self._change(identifier, now_ns, revoked_ns=now_ns)

    def expire(self, identifier: str, now_ns: int, expires_ns: int) -> None:
        """Let a key in up to a time."""
        self._change(identifier, now_ns, expires_ns=expires_ns)

    def _change(self, identifier: str, now_ns: int, **values: int) -> None:
        with self._engine.begin() as connection:
            change = update(API_KEYS).where(API_KEYS.c.id == identifier)
            connection.execute(change.values(changed_ns=now_ns, **values))


def _key(row: Mapping[Any, Any]) -> ApiKey:
    return ApiKey(**{**row, "scopes": frozenset(map(Scope, filter(None, row["scopes"].split(","))))})
