"""Users in the database. Whoever asks from an event loop does so in a thread."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import IntegrityError

from gateway.access.scopes import Scope, read_scopes, write_scopes
from gateway.access.session_store import end_sessions
from gateway.access.users import UnusableAccountError, User, read_name
from gateway.database.accounts import USERS, next_revision

USER_COLUMNS = tuple(USERS.c[name] for name in User.__slots__)


class UserStore:
    """Reads and writes `users`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, user: User, password_hash: str) -> None:
        """Keep a new user.

        Raises:
            UnusableAccountError: The name is another one's.
        """
        row = asdict(user) | {"scopes": write_scopes(user.scopes), "password_hash": password_hash}
        try:
            with self._engine.begin() as connection:
                connection.execute(USERS.insert(), row | {"revision": next_revision(connection)})
        except IntegrityError as error:
            raise UnusableAccountError(
                "username", f"there is a user {user.name} already: choose another name"
            ) from error

    def all(self) -> list[User]:
        """Give every user that was not removed, the oldest first."""
        with self._engine.connect() as connection:
            return [user for user in users_after(connection, -1) if user.name is not None]

    def find(self, name: str) -> tuple[User, str] | None:
        """Give a user by name, and the hash of his password."""
        wanted = select(*USER_COLUMNS, USERS.c.password_hash).where(USERS.c.name == read_name(name))
        with self._engine.connect() as connection:
            row = connection.execute(wanted).mappings().first()
        if row is None:
            return None
        kept = dict(row)
        password_hash = str(kept.pop("password_hash"))
        return user_of(kept), password_hash

    def get(self, identifier: str) -> User | None:
        """Give a user by his id."""
        with self._engine.connect() as connection:
            row = connection.execute(select(*USER_COLUMNS).where(USERS.c.id == identifier)).mappings().first()
        return None if row is None else user_of(row)

    def set_scopes(self, identifier: str, scopes: frozenset[Scope]) -> None:
        """Let a user do this, and nothing else."""
        self._change(identifier, scopes=write_scopes(scopes))

    def set_password(self, identifier: str, password_hash: str, now_ns: int) -> None:
        """Give a user another password; whoever came in by the old one is out."""
        self._change(identifier, ending_ns=now_ns, password_hash=password_hash)

    def disable(self, identifier: str, now_ns: int) -> None:
        """Let a user in no more."""
        self._change(identifier, ending_ns=now_ns, disabled_ns=now_ns)

    def enable(self, identifier: str) -> None:
        """Let a user in again."""
        self._change(identifier, disabled_ns=None)

    def remove(self, identifier: str, now_ns: int) -> None:
        """Forget a user; the name is free again."""
        self._change(identifier, ending_ns=now_ns, disabled_ns=now_ns, name=None, password_hash="")

    def _change(self, identifier: str, ending_ns: int | None = None, **values: Any) -> None:
        with self._engine.begin() as connection:
            revision = next_revision(connection)
            connection.execute(update(USERS).where(USERS.c.id == identifier).values(revision=revision, **values))
            if ending_ns is not None:
                end_sessions(connection, revision, ending_ns, user_id=identifier)


def users_after(connection: Connection, revision: int) -> list[User]:
    """Give the users that were changed after a revision, the oldest first."""
    wanted = select(*USER_COLUMNS).where(USERS.c.revision > revision).order_by(USERS.c.created_ns)
    return [user_of(row) for row in connection.execute(wanted).mappings()]


def user_of(row: Mapping[Any, Any]) -> User:
    """Read a row of `USER_COLUMNS`."""
    return User(**{**row, "scopes": read_scopes(row["scopes"])})
