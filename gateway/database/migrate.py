"""Bring the database to the newest revision: once, under a lock, before anything else."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from gateway.database.engine import SQLITE, open_engine
from gateway.database.settings import DatabaseSettings

_MIGRATIONS = Path(__file__).with_name("migrations")
#: PostgreSQL's advisory lock of this work: "tick" in ASCII.
_LOCK_NUMBER = 0x7469636B


def migrate(engine: Engine) -> None:
    """Apply what is missing.

    Raises:
        sqlalchemy.exc.OperationalError: The database does not answer, or another migrates for too long.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)  # what it says of itself is not for our log
    with _alone(engine), engine.begin() as connection:
        if engine.dialect.name != SQLITE:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
        command.upgrade(configuration(connection), "head")


def open_migrated(settings: DatabaseSettings) -> Engine:
    """Apply what is missing, which takes what it takes; give an engine whose questions have a limit.

    Raises:
        sqlalchemy.exc.OperationalError: The database does not answer, or another migrates for too long.
    """
    engine = open_engine(settings)
    try:
        migrate(engine)
    finally:
        engine.dispose()
    return open_engine(settings, settings.database_limit_seconds)


def configuration(connection: Connection) -> Config:
    """Give Alembic's configuration, which needs no file, over a connection."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Hold a lock beside SQLite's file: its own are let go between two statements that change tables."""
    if engine.dialect.name != SQLITE:
        yield
        return
    with Path(f"{engine.url.database}.migrating").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
