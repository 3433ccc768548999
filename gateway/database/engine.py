"""Connections to the database. Whoever asks from an event loop does so in a thread."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL

from gateway.database.settings import DatabaseSettings

SQLITE = "sqlite"


def open_engine(settings: DatabaseSettings) -> Engine:
    """Give the engine; nothing is connected yet. SQLite's folder is made where it is missing."""
    url = settings.database()
    if url.get_backend_name() == SQLITE:
        return _sqlite(url, settings.database_answer_seconds)
    timeout_seconds = max(1, round(settings.database_answer_seconds))
    return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": timeout_seconds})


def _sqlite(url: URL, busy_seconds: float) -> Engine:
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": busy_seconds})

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
        connection.exec_driver_sql("BEGIN")

    return engine


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Give an insert that can say what happens where a row is there already."""
    return sqlite.Insert(table) if connection.dialect.name == SQLITE else postgresql.Insert(table)
