"""Where the database is."""

import socket
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from schemas.settings import Settings

_DEFAULT_URL = "sqlite:///var/tickcast.db"
#: The driver that each kind of database is reached by.
_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}


def _parsed(text: str) -> URL:
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except ArgumentError:
        url, backend = None, ""
    if url is None or backend not in _DRIVERS:
        raise ValueError("give sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    if backend == "sqlite" and not url.database:
        raise ValueError("a database in memory is lost with its process: give sqlite:///FILE")
    return url.set(drivername=_DRIVERS[backend])


class DatabaseSettings(Settings):
    """What the gateway and the recorder agree on."""

    database_url: SecretStr = Field(
        SecretStr(_DEFAULT_URL), description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    )
    database_answer_seconds: float = Field(
        5.0,
        gt=0,
        le=60,
        description="An answer of the database is waited for so long, the database itself half of it; the recorder "
        "waits so long for a connection, or a lock on SQLite's file",
    )

    @property
    def database_limit_seconds(self) -> float:
        """Give what the database may take for an answer: who comes while all threads wait for it still gets one."""
        return 0.5 * self.database_answer_seconds

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: SecretStr) -> SecretStr:
        _parsed(value.get_secret_value())
        return value

    def database(self) -> URL:
        """Give the address, password included; its `repr` hides it."""
        return _parsed(self.database_url.get_secret_value())

    def database_name(self) -> str:
        """Name the database, without who reads it; a file is this machine's."""
        url = self.database().set(username=None, password=None)
        if url.get_backend_name() == "sqlite":
            return f"{socket.gethostname()}:{Path(str(url.database)).absolute()}"
        return url.render_as_string()
