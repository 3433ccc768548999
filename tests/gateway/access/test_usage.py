"""What each key asks for and is sent: counted, kept while the database is away, added up, shown to whom it concerns."""

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from websockets.asyncio.client import connect

from gateway.access.__main__ import run_command
from gateway.access.keys import ApiKey, make_key
from gateway.access.scopes import Scope
from gateway.access.store import KeyStore
from gateway.database.engine import open_engine
from gateway.database.migrate import migrate
from gateway.database.usage import add_usage, usage_of
from gateway.parts import Parts
from gateway.usage import Counts, MonthOfKey, Usage, UsageWriter
from tests.gateway.samples import NOON_NS, make_parts, prediction, publish
from tests.gateway.web import DEADLINE_SECONDS, client_of, running, until

NOVEMBER = MonthOfKey("me", "2026-11")


@pytest.fixture
def parts(database_url: str) -> Parts:
    return make_parts(prediction("AAPL", 1), auth_required=True, database_url=SecretStr(database_url))


@pytest.fixture
def engine(parts: Parts) -> Iterator[Engine]:
    engine = open_engine(parts.settings)
    migrate(engine)
    yield engine
    engine.dispose()


def key_of(parts: Parts, engine: Engine, *scopes: Scope) -> tuple[dict[str, str], ApiKey]:
    """Make a key that the gateway and its database know; give the headers of whoever has it."""
    text, key = make_key("board", frozenset(scopes), NOON_NS - 1)
    KeyStore(engine).add(key)
    parts.keys.accept([key])
    return {"X-API-Key": text}, key


def rows_of(engine: Engine, key_id: str | None = None) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        rows = usage_of(connection, key_id, None, 100)
        return [tuple(row[name] for name in ("month", "requests", "errors", "messages", "bytes")) for row in rows]


def test_gateways_that_write_at_once_add_up(engine: Engine) -> None:
    for counts in (Counts(1, 0, 5, 2**40), Counts(2, 1, 0, 1)):
        add_usage(engine, {NOVEMBER: counts, MonthOfKey("me", "2026-12"): Counts(requests=7)})
    assert rows_of(engine, "me") == [("2026-12", 14, 0, 0, 0), ("2026-11", 3, 1, 5, 2**40 + 1)]
    assert rows_of(engine, "you") == []


class Sometimes:
    """A database that is away for a while, and then there; it may take its time."""

    def __init__(self) -> None:
        self.away = True
        self.refused = 0
        self.written: dict[MonthOfKey, Counts] = {}

    def __call__(self, counted: Mapping[MonthOfKey, Counts]) -> None:
        if self.away:
            self.refused += 1
            raise OperationalError("insert", {}, Exception("away"))
        for of, counts in counted.items():
            self.written.setdefault(of, Counts()).add(counts)


async def test_what_is_counted_while_the_database_is_away_is_written_once_later_under_the_month_it_was_of() -> None:
    usage, database, month_ns = Usage(), Sometimes(), [NOON_NS]
    writing = asyncio.create_task(UsageWriter(usage, database, lambda: month_ns[0]).run(0.01))
    usage.note_answer("me", 200, 10)
    await until(lambda: database.refused >= 2, "two attempts in January")
    month_ns[0] += 31 * 86_400 * 10**9
    usage.note_answer("me", 404, 5)
    await until(lambda: database.refused >= 4, "two attempts in February")
    database.away = False
    await until(lambda: database.written, "writing")
    usage.note_answer("you", 200, 1)
    writing.cancel()  # what was counted last is written before the end
    await asyncio.wait({writing}, timeout=DEADLINE_SECONDS)
    assert database.written == {
        MonthOfKey("me", "2024-01"): Counts(1, 0, 0, 10),
        MonthOfKey("me", "2024-02"): Counts(1, 1, 0, 5),
        MonthOfKey("you", "2024-02"): Counts(1, 0, 0, 1),
    }


async def write(parts: Parts, engine: Engine) -> None:
    """Write what was counted, as the gateway does when it stops."""
    writing = asyncio.create_task(UsageWriter(parts.usage, partial(add_usage, engine), parts.clock_ns).run())
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait({writing}, timeout=DEADLINE_SECONDS)


async def test_each_key_sees_its_own_by_month_and_an_admin_all(
    parts: Parts, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, mine = key_of(parts, engine, Scope.READ)
    admin, other = key_of(parts, engine, *Scope)
    async with client_of(parts) as client:
        sizes = [len((await client.get("/predict/AAPL", headers=reader)).content) for _ in range(2)]
        sizes.append(len((await client.get("/api/v1/predict/NONE", headers=reader)).content))
        await client.head("/predict/AAPL", headers=admin)
        assert (await client.get("/predict/AAPL")).status_code == 401  # is nobody's
        await write(parts, engine)
        own = (await client.get("/usage", headers=reader)).json()
        assert (await client.get("/usage?month=2023-12", headers=admin)).json()["usage"] == []
        assert (await client.get("/usage?month=1", headers=admin)).status_code == 400
        everyones = (await client.get("/usage?month=2024-01", headers=admin)).json()
    expected = {"key": mine.id, "name": "board", "month": "2024-01", "requests": 3, "errors": 1, "messages": 0}
    assert own == {"counted": True, "message": "", "usage": [expected | {"bytes": sum(sizes)}]}
    by_key = {row["key"]: row for row in everyones["usage"]}
    assert by_key[mine.id] == own["usage"][0]
    assert (by_key[other.id]["requests"], by_key[other.id]["bytes"]) == (1, 0)
    run_command(parts.settings, ["usage", "--month", "2024-01"])
    assert f"2024-01  {mine.id}  requests 3  errors 1  messages 0  bytes {sum(sizes)}  board" in capsys.readouterr().out
    parts.close()


async def test_messages_of_sockets_and_events_are_counted_for_the_key_that_they_were_opened_with(
    parts: Parts, engine: Engine
) -> None:
    headers, key = key_of(parts, engine, Scope.STREAM)
    async with running(parts) as server, connect(server.socket_url) as connection:
        welcome = str(await asyncio.wait_for(connection.recv(), DEADLINE_SECONDS))  # before anybody said who he is
        for _ in range(2):  # the first says whose handshake it was, the second is no other one
            await connection.send(f'{{"action": "auth", "key": "{headers["X-API-Key"]}"}}')
            await asyncio.wait_for(connection.recv(), DEADLINE_SECONDS)
        await connection.send('{"action": "subscribe", "tickers": ["AAPL"]}')
        subscribed, snapshot = [await asyncio.wait_for(connection.recv(), DEADLINE_SECONDS) for _ in range(2)]
        publish(parts, prediction("AAPL", 2))
        update = await asyncio.wait_for(connection.recv(), DEADLINE_SECONDS)
        assert "welcome" in welcome
        await write(parts, engine)
        [(_, requests, _, messages, count)] = rows_of(engine, key.id)
        assert (requests, messages) == (1, 5)
        assert len(subscribed) + len(snapshot) + len(update) < count < 10_000
        async with (
            httpx.AsyncClient(timeout=DEADLINE_SECONDS) as client,
            client.stream("GET", f"{server.url}/events/predictions", headers=headers) as answer,
        ):
            lines = answer.aiter_lines()
            while await anext(lines) != "event: snapshot":
                pass
            await write(parts, engine)
        [(_, requests, _, messages, more)] = rows_of(engine, key.id)
        assert requests == 2
        assert messages >= 6
        assert more > count


async def test_where_nobody_is_asked_for_a_key_nothing_is_counted_and_that_is_said() -> None:
    parts = make_parts(prediction("AAPL", 1))
    async with client_of(parts) as client:
        await client.get("/predict/AAPL", headers={"X-API-Key": "tc_abc_def"})
        answer = (await client.get("/usage")).json()
    assert (answer["counted"], answer["usage"]) == (False, [])
    assert "TICKCAST_AUTH_REQUIRED" in answer["message"]
    assert parts.usage.take("2026-11") == {}
