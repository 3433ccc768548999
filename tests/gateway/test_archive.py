"""Questions to the database: none lasts longer than its limit, and none waits without a bound."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, text

from gateway.archive import Archive
from gateway.database.engine import SQLITE
from gateway.database.settings import DatabaseSettings
from gateway.problems import ProblemError
from tests.postgres import PostgresServer

_THREADS = 4
_WAITING = 64
_FOR_EVER = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1e12) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(3600)",
}


def slow(connection: Connection) -> Any:
    return connection.scalar(text(_FOR_EVER[connection.dialect.name]))


def quick(connection: Connection) -> Any:
    return connection.scalar(text("SELECT 1"))


@contextmanager
def archive_at(url: str, answer_seconds: float) -> Iterator[Archive]:
    archive = Archive(
        DatabaseSettings(_env_file=None, database_url=SecretStr(url), database_answer_seconds=answer_seconds)
    )
    yield archive
    archive.close()


async def name_of(question: Any) -> str:
    with pytest.raises(ProblemError) as refused:
        await question
    assert refused.value.status == 503
    return refused.value.name


async def test_after_four_slow_questions_a_quick_one_is_answered(database_url: str) -> None:
    with archive_at(database_url, 6.0) as archive:
        assert await archive.ask(quick) == 1, "tables are made"
        slow_ones = [asyncio.create_task(name_of(archive.ask(slow))) for _ in range(_THREADS)]
        await asyncio.sleep(0)
        quick_ones = [asyncio.create_task(archive.ask(quick)) for _ in range(_WAITING + 1)]
        *answered, sent_away = await asyncio.gather(*quick_ones, return_exceptions=True)
        assert answered == [1] * _WAITING
        assert isinstance(sent_away, ProblemError)
        assert sent_away.name == "history-busy"
        assert await asyncio.gather(*slow_ones) == ["history-too-slow"] * _THREADS
        assert await archive.ask(quick) == 1, "the connections are as good as before"


async def test_a_change_that_meets_a_lock_gives_up_in_time_and_the_next_is_made(database_url: str) -> None:
    with archive_at(database_url, 3.0) as archive:
        await archive.write(lambda connection: connection.execute(text("CREATE TABLE noted (what INTEGER)")))

        def note(connection: Connection) -> None:
            connection.execute(text("INSERT INTO noted VALUES (1)"))

        with archive._open().begin() as other:
            other.execute(text("INSERT INTO noted VALUES (0)"))
            if other.dialect.name != SQLITE:
                other.execute(text("LOCK TABLE noted"))
            assert await name_of(archive.write(note)) in ("history-unavailable", "history-too-slow")
        await archive.write(note)
        assert await archive.ask(lambda connection: connection.scalar(text("SELECT count(*) FROM noted"))) == 2


async def test_a_database_that_is_killed_is_away_in_time_and_asked_again_when_it_is_back(
    postgres: PostgresServer,
) -> None:
    with archive_at(postgres.make_database(), 20.0) as archive:
        assert await archive.ask(quick) == 1
        under_way = [asyncio.create_task(name_of(archive.ask(slow))) for _ in range(_THREADS)]
        await asyncio.sleep(0)
        await asyncio.to_thread(postgres.kill)
        try:
            assert set(await asyncio.gather(*under_way)) <= {"history-unavailable", "history-too-slow"}
            assert await name_of(archive.ask(quick)) == "history-unavailable"
        finally:
            await asyncio.to_thread(postgres.start)
        assert await asyncio.gather(*(archive.ask(quick) for _ in range(_WAITING))) == [1] * _WAITING
