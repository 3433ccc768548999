"""Keys in the database. Whoever asks from an event loop does so in a thread."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from gateway.access.keys import ApiKey
from gateway.access.scopes import read_scopes, write_scopes
from gateway.database.accounts import API_KEYS, next_revision

_COLUMNS = tuple(API_KEYS.c[name] for name in ApiKey.__slots__)


class KeyStore:
    """Reads and writes `api_keys`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, key: ApiKey) -> None:
        """Keep a new key."""
        row = asdict(key) | {"scopes": write_scopes(key.scopes)}
        with self._engine.begin() as connection:
            connection.execute(API_KEYS.insert(), row | {"revision": next_revision(connection)})

    def all(self) -> list[ApiKey]:
        """Give every key, the oldest first."""
        with self._engine.connect() as connection:
            return keys_after(connection, -1)

    def find(self, identifier: str) -> ApiKey | None:
        """Give a key by its id."""
        with self._engine.connect() as connection:
            row = connection.execute(select(*_COLUMNS).where(API_KEYS.c.id == identifier)).mappings().first()
            return None if row is None else _key(row)

    def revoke(self, identifier: str, now_ns: int) -> None:
        """Let a key in no more, from now on."""
        self._change(identifier, revoked_ns=now_ns)

    def expire(self, identifier: str, expires_ns: int) -> None:
        """Let a key in up to a time."""
        self._change(identifier, expires_ns=expires_ns)

    def _change(self, identifier: str, **values: int) -> None:
        with self._engine.begin() as connection:
            values["revision"] = next_revision(connection)
            connection.execute(update(API_KEYS).where(API_KEYS.c.id == identifier).values(**values))


def keys_after(connection: Connection, revision: int) -> list[ApiKey]:
    """Give the keys that were changed after a revision, the oldest first."""
    wanted = select(*_COLUMNS).where(API_KEYS.c.revision > revision).order_by(API_KEYS.c.created_ns)
    return [_key(row) for row in connection.execute(wanted).mappings()]


def _key(row: Mapping[Any, Any]) -> ApiKey:
    return ApiKey(**{**row, "scopes": read_scopes(row["scopes"])})
