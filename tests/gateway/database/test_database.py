"""The database: reached by setting, and brought to its newest revision by whoever comes first."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr, ValidationError
from sqlalchemy import Engine, inspect, select

from gateway.database.engine import open_engine
from gateway.database.history import OFFSETS
from gateway.database.metadata import metadata
from gateway.database.migrate import migrate
from gateway.database.settings import DatabaseSettings


def settings_of(url: str) -> DatabaseSettings:
    return DatabaseSettings(_env_file=None, database_url=SecretStr(url))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(settings_of(database_url))
    yield engine
    engine.dispose()


def test_migrations_make_the_tables_that_the_code_knows(engine: Engine) -> None:
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_many_that_start_at_once_migrate_once(engine: Engine, database_url: str) -> None:
    def start(_: int) -> None:
        own = open_engine(settings_of(database_url))
        migrate(own)
        own.dispose()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
    assert "alembic_version" in inspect(engine).get_table_names()
    with engine.connect() as connection:
        assert connection.execute(select(OFFSETS)).all() == []


def test_who_reads_does_not_wait_for_who_writes(engine: Engine) -> None:
    migrate(engine)
    with engine.begin() as writing, engine.connect() as reading:
        writing.execute(OFFSETS.insert(), {"topic": "bars", "partition": 0, "epoch": "e", "next_offset": 1})
        assert reading.execute(select(OFFSETS)).all() == []


@pytest.mark.parametrize("url", ["mysql://a:s3cret@b/c", "nonsense s3cret", "sqlite://", "sqlite:///"])
def test_an_address_that_cannot_be_used_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings_of(url)
    assert "sqlite:///FILE" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_password_is_not_shown() -> None:
    settings = settings_of("postgresql://me:s3cret@server:5432/mine")
    assert settings.database().password == "s3cret"
    assert "s3cret" not in f"{settings!r} {settings.database()!r} {open_engine(settings)!r}"
