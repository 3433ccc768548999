"""Connections to the database. Whoever asks from an event loop does so in a thread, through an engine with a limit."""

import math
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from gateway.database.settings import DatabaseSettings

SQLITE = "sqlite"
#: SQLite looks at the clock once in so many of its steps, which take it about a millisecond.
_STEPS = 10_000
#: PostgreSQL's state of a statement that was ended before it was done.
_QUERY_CANCELED = "57014"
_WRITES = "tickcast_writes"


def open_engine(settings: DatabaseSettings, limit_seconds: float | None = None) -> Engine:
    """Give the engine; nothing is connected yet. SQLite's folder is made where it is missing.

    Args:
        limit_seconds: What takes longer is ended: a statement in PostgreSQL, a whole transaction in SQLite, and the
            wait for a connection or a lock in both. None: it takes what it takes, as migrations and the recorder must.
    """
    url = settings.database()
    patience_seconds = settings.database_answer_seconds if limit_seconds is None else limit_seconds
    if url.get_backend_name() == SQLITE:
        return _sqlite(url, patience_seconds, limit_seconds)
    return _postgresql(url, patience_seconds, limit_seconds)


def begin_writing(engine: Engine) -> AbstractContextManager[Connection]:
    """Begin a transaction that will write, whatever it reads first.

    SQLite then waits for its lock at once. Taken after a first read, it is refused without a wait where another has
    written in between (SQLITE_BUSY_SNAPSHOT).
    """
    return engine.execution_options(**{_WRITES: True}).begin()


def ran_out_of_time(error: DBAPIError) -> bool:
    """Tell whether a limit ended it."""
    if isinstance(error.orig, sqlite3.Error):
        return error.orig.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
    return getattr(error.orig, "sqlstate", None) == _QUERY_CANCELED


def _postgresql(url: URL, patience_seconds: float, limit_seconds: float | None) -> Engine:
    seconds = max(1, math.ceil(patience_seconds))
    arguments = {"connect_timeout": seconds}
    if limit_seconds is not None:  # a server that is silent for ever ends nothing: the connection then does
        arguments |= {"tcp_user_timeout": 1_000 * seconds, "keepalives_idle": seconds}
    engine = create_engine(url, pool_pre_ping=True, connect_args=arguments)
    if limit_seconds is not None:
        limit_ms = max(1, round(1_000 * limit_seconds))

        @event.listens_for(engine, "begin")
        def limit(connection: Connection) -> None:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {limit_ms}")

    return engine


def _sqlite(url: URL, patience_seconds: float, limit_seconds: float | None) -> Engine:
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": patience_seconds})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # else Python begins a transaction when it likes: never before a CREATE TABLE
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")  # who reads does not wait for who writes
        cursor.execute("PRAGMA synchronous=NORMAL")  # in WAL, a power cut may cost the last transactions, whole
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if limit_seconds is not None:
            sqlite: Any = connection.connection.driver_connection
            sqlite.set_progress_handler(_is_over(time.monotonic() + limit_seconds), _STEPS)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN")

    return engine


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Give an insert that can say what happens where a row is there already."""
    return sqlite.Insert(table) if connection.dialect.name == SQLITE else postgresql.Insert(table)


def _is_over(end_s: float) -> Callable[[], bool]:
    return lambda: time.monotonic() >= end_s
