"""Changes of who may come in are found by their numbers, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from threading import Event
from typing import Any

import pytest
from alembic import command
from pydantic import SecretStr
from sqlalchemy import Engine, event, select, text, update

from gateway.access.changes import NOTHING_SEEN, Changes, read_changes
from gateway.access.keys import make_key
from gateway.access.session_store import Session, SessionStore
from gateway.access.store import KeyStore
from gateway.access.user_store import UserStore
from gateway.access.users import DEFAULT_SCOPES, UnusableAccountError, User
from gateway.database.accounts import ACCESS_REVISION, USER_SESSIONS, next_revision
from gateway.database.engine import open_engine
from gateway.database.migrate import configuration, migrate
from gateway.database.settings import DatabaseSettings
from tests.gateway.samples import NOON_NS

HOUR_NS = 3_600_000_000_000
ADA = User("1", "ada", DEFAULT_SCOPES, NOON_NS)


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    engine = open_engine(DatabaseSettings(_env_file=None, database_url=SecretStr(database_url)))
    yield engine
    engine.dispose()


@pytest.fixture
def engine(empty: Engine) -> Engine:
    migrate(empty)
    return empty


def test_keys_of_before_are_there_still_and_their_changes_are_seen(empty: Engine) -> None:
    _, key = make_key("of before", DEFAULT_SCOPES, NOON_NS)
    with empty.begin() as connection:
        command.upgrade(configuration(connection), "0002_api_keys")
        row = asdict(key) | {"scopes": "read,stream", "changed_ns": NOON_NS}
        columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO api_keys ({columns}) VALUES ({values})"), row)  # noqa: S608 - our own
    migrate(empty)
    seen = read_changes(empty, NOTHING_SEEN)
    assert seen.keys == [key]
    KeyStore(empty).revoke(key.id, NOON_NS)
    assert read_changes(empty, seen.revision).keys == [replace(key, revoked_ns=NOON_NS)]


def test_a_revocation_by_a_clock_that_is_hours_behind_is_seen(engine: Engine) -> None:
    store = KeyStore(engine)
    keys = [make_key(name, DEFAULT_SCOPES, NOON_NS)[1] for name in ("first", "second")]
    for key in keys:
        store.add(key)
    seen = read_changes(engine, NOTHING_SEEN)
    assert seen.keys == keys
    assert read_changes(engine, seen.revision) == Changes(seen.revision)
    store.revoke(keys[0].id, NOON_NS - 9 * HOUR_NS)
    assert read_changes(engine, seen.revision).keys == [replace(keys[0], revoked_ns=NOON_NS - 9 * HOUR_NS)]


def test_whoever_sees_a_number_sees_all_changes_up_to_it(engine: Engine) -> None:
    store = KeyStore(engine)
    seen = read_changes(engine, NOTHING_SEEN).revision
    _, key = make_key("late", DEFAULT_SCOPES, NOON_NS)
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as slow:
            number = next_revision(slow)
            adding = pool.submit(store.add, key)
            assert read_changes(engine, seen) == Changes(seen)
            assert not adding.done(), "it waits for its number"
        adding.result(timeout=60)
    later = read_changes(engine, seen)
    assert (later.revision, later.keys) == (number + 1, [key])


def test_everything_is_read_again_from_a_database_that_was_put_back(engine: Engine) -> None:
    _, key = make_key("kept", DEFAULT_SCOPES, NOON_NS)
    KeyStore(engine).add(key)
    with engine.begin() as connection:
        connection.execute(update(ACCESS_REVISION).values(number=7))
    assert read_changes(engine, 1_000) == Changes(7, keys=[key])


def test_a_session_goes_on_by_its_newest_token_until_its_user_may_no_longer(engine: Engine) -> None:
    users, sessions = UserStore(engine), SessionStore(engine)
    users.add(ADA, "hash")
    with pytest.raises(UnusableAccountError, match="already"):
        users.add(replace(ADA, id="2"), "hash")
    begun = [Session(name, ADA.id, "first", NOON_NS, NOON_NS + HOUR_NS) for name in ("a", "b", "c")]
    assert not sessions.begin(begun[0], "another hash")
    assert all(sessions.begin(session, "hash") for session in begun)
    assert sessions.rotate("a", "first", "second", NOON_NS)
    assert not sessions.rotate("a", "first", "third", NOON_NS), "used before"
    assert not sessions.rotate("a", "second", "third", NOON_NS + HOUR_NS), "expired"
    assert sessions.rotate("a", "second", "third", NOON_NS)
    assert read_changes(engine, NOTHING_SEEN).ended_sessions == []
    assert sessions.end("a", NOON_NS)
    assert not sessions.end("a", NOON_NS)
    seen = read_changes(engine, NOTHING_SEEN)
    assert (seen.users, seen.ended_sessions) == ([ADA], ["a"])
    users.disable(ADA.id, NOON_NS)
    later = read_changes(engine, seen.revision)
    assert (later.users, sorted(later.ended_sessions)) == ([replace(ADA, disabled_ns=NOON_NS)], ["b", "c"])
    assert not sessions.rotate("b", "first", "second", NOON_NS)
    assert not sessions.begin(replace(begun[0], id="d"), "hash")
    users.remove(ADA.id, NOON_NS)
    assert (users.all(), users.find("ada")) == ([], None)
    users.add(replace(ADA, id="2"), "hash")
    assert sessions.begin(Session("e", "2", "first", NOON_NS + 2 * HOUR_NS, NOON_NS + 3 * HOUR_NS), "hash")
    assert read_changes(engine, NOTHING_SEEN).ended_sessions == [], "of long ago"


def test_whoever_logs_in_by_a_password_while_it_is_changed_is_out(engine: Engine, database_url: str) -> None:
    changing = open_engine(DatabaseSettings(_env_file=None, database_url=SecretStr(database_url)))
    changes: list[Future[None]] = []
    ended, begun = Event(), Event()
    UserStore(engine).add(ADA, "old")

    with ThreadPoolExecutor(1) as pool:

        @event.listens_for(engine, "before_cursor_execute")
        def change(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith("SELECT users") and not changes:  # the session is written, its user not looked at
                changes.append(pool.submit(UserStore(changing).set_password, ADA.id, "new", NOON_NS))
                ended.wait(1.0)  # where the one does not wait for the other

        @event.listens_for(changing, "commit")
        def linger(_connection: Any) -> None:
            ended.set()
            begun.wait(1.0)

        SessionStore(engine).begin(Session("a", ADA.id, "first", NOON_NS, NOON_NS + HOUR_NS), "old")
        begun.set()
        changes[0].result(timeout=60)
    changing.dispose()
    with engine.connect() as connection:
        goes_on = select(USER_SESSIONS.c.id).where(USER_SESSIONS.c.ended_ns.is_(None))
        assert connection.scalars(goes_on).all() == []
