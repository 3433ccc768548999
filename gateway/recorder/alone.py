"""One recorder a database: a lock on SQLite's file, or PostgreSQL's advisory lock."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from gateway.database.engine import SQLITE
from schemas.errors import RetryError, StopAndSayError

#: PostgreSQL's advisory lock of the recorder: "reco" in ASCII.
_LOCK_NUMBER = 0x7265636F
_ANOTHER = "another recorder writes into this database: stop it, or give this one another TICKCAST_DATABASE_URL"


@contextmanager
def alone(engine: Engine) -> Iterator[Callable[[], None]]:
    """Hold the lock; gives a check that it is still held.

    Raises:
        StopAndSayError: Another recorder has it.
        RetryError: From the check: the connection that held it is gone, and so is the lock.
    """
    with _by_file(engine) if engine.dialect.name == SQLITE else _by_server(engine) as check:
        yield check


@contextmanager
def _by_file(engine: Engine) -> Iterator[Callable[[], None]]:
    with Path(f"{engine.url.database}.recorder").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StopAndSayError(_ANOTHER) from None
        yield lambda: None


@contextmanager
def _by_server(engine: Engine) -> Iterator[Callable[[], None]]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()  # a pool would keep it, and with it the lock
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": _LOCK_NUMBER}):
            raise StopAndSayError(_ANOTHER)

        def check() -> None:
            try:
                connection.execute(text("SELECT 1"))
            except DBAPIError as error:
                raise RetryError("the database let go of the recorder's lock: beginning again") from error

        yield check
