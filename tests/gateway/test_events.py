"""Server-sent events: the messages of the WebSocket, resumed by the browser's own means."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from gateway.access.scopes import Scope
from gateway.parts import Parts
from schemas.close_codes import CloseCode
from tests.gateway.access.people import key_of
from tests.gateway.contract import read_message
from tests.gateway.deaf import deaf_socket
from tests.gateway.samples import DAY_NS, NOON_NS, make_parts, prediction, publish
from tests.gateway.web import DEADLINE_SECONDS, Running, client_of, running, until


class Events:
    """A client that remembers the last id, as browsers do."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.last_id: str | None = None

    async def hear(self, kind: str) -> dict[str, Any]:
        """Receive the next event, which is of this type."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(DEADLINE_SECONDS):
            while line := await anext(self._lines):
                name, _, value = line.partition(": ")
                fields[name] = value
        self.last_id = fields.get("id", self.last_id)
        message = read_message(fields["data"])
        assert (fields["event"], message["type"]) == (kind, kind)
        return message


@contextlib.asynccontextmanager
async def listening(server: Running, query: str = "", last_id: str | None = None) -> AsyncIterator[Events]:
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    url = f"{server.url}/events/predictions{query}"
    async with (
        httpx.AsyncClient(timeout=DEADLINE_SECONDS) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        yield Events(answer.aiter_lines())


async def test_events_say_what_the_socket_says_and_resume_after_the_last_one_that_came() -> None:
    parts = make_parts(prediction("AAPL", 1), prediction("IBM", 1))
    async with running(parts) as server:
        async with listening(server, "?tickers=aapl,IBM") as events:
            assert (await events.hear("subscribed"))["tickers"] == ["AAPL", "IBM"]
            assert events.last_id is None
            assert len((await events.hear("snapshot"))["predictions"]) == 2
            publish(parts, prediction("AAPL", 2))
            assert (await events.hear("prediction"))["seq"] == 2
        await until(lambda: len(parts.hub) == 0, "leaving")
        publish(parts, prediction("IBM", 3))
        publish(parts, prediction("MSFT", 4))
        publish(parts, prediction("AAPL", 5))
        async with listening(server, "?tickers=AAPL,IBM", events.last_id) as again:
            assert (await again.hear("subscribed"))["recovered"] is True
            heard = [await again.hear("prediction") for _ in range(2)]
            assert [(one["ticker"], one["seq"], one["prev"]) for one in heard] == [("IBM", 3, 1), ("AAPL", 5, 2)]


async def test_who_asks_for_the_headers_alone_gets_them_and_the_answer_to_his_next_request() -> None:
    parts = make_parts(prediction("AAPL", 1))
    async with running(parts) as server, httpx.AsyncClient(timeout=DEADLINE_SECONDS) as client:
        head = await client.head(f"{server.url}/events/predictions")
        assert head.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert (await client.get(f"{server.url}/health/live")).status_code == 200
        await until(lambda: len(parts.hub) == 0, "the end of the events")


async def test_a_page_that_listens_anew_says_in_the_query_where_it_was_and_its_browser_knows_better_later() -> None:
    parts = make_parts()
    marks = []
    for offset in (1, 2, 3):
        publish(parts, prediction("AAPL", offset))
        marks.append(parts.predictions.mark)
    async with running(parts) as server:
        for browsers, seqs in ((None, [2, 3]), (marks[1], [3])):
            async with listening(server, f"?last_event_id={marks[0]}", browsers) as events:
                assert (await events.hear("subscribed"))["recovered"] is True
                assert [(await events.hear("prediction"))["seq"] for _ in seqs] == seqs


@pytest.mark.parametrize("mark", ["another/0:2", "/0:0", "/garbage", "", "/0:" + "9" * 30])
async def test_what_is_no_longer_held_or_is_no_mark_of_this_epoch_brings_a_fresh_snapshot(mark: str) -> None:
    parts = make_parts(*(prediction("AAPL", offset) for offset in (1, 2)))
    parts.predictions.held.expire(NOON_NS + DAY_NS)
    async with running(parts) as server, listening(server, last_id=mark) as events:
        assert (await events.hear("subscribed"))["recovered"] is False
        assert [one["seq"] for one in (await events.hear("snapshot"))["predictions"]] == [2]


async def test_where_something_is_left_out_no_event_has_an_id_that_would_hide_it() -> None:
    parts = make_parts(prediction("AAPL", 1))
    async with running(parts) as server, listening(server, "?final_only=true") as events:
        await events.hear("subscribed")
        await events.hear("snapshot")
        publish(parts, prediction("AAPL", 2, provisional=True))
        publish(parts, prediction("AAPL", 3))
        assert (await events.hear("prediction"))["seq"] == 3
        assert events.last_id is None
        server.server.stop()
        await events.hear("server_shutdown")


@contextlib.asynccontextmanager
async def deaf_listener(server: Running, parts: Parts, key: str = "") -> AsyncIterator[None]:
    """Ask for the events of everything, and read nothing, while there are more than fit into the client's socket."""
    request = f"GET /events/predictions HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n\r\n"
    with deaf_socket(server.url) as connection:
        connection.sendall(request.encode())
        await until(lambda: len(parts.hub) == 1, "the subscription")
        (protocol,) = server.server.server_state.connections
        numbers = itertools.count()

        def paused() -> bool:
            publish(parts, prediction("AAPL", next(numbers)))
            return protocol.flow.write_paused  # type: ignore[union-attr]  # of HTTP

        await until(paused, "nothing more fitting into the client's socket")
        yield


async def test_who_reads_no_events_for_too_long_is_cut_off_and_forgotten() -> None:
    parts = make_parts(client_stall_seconds=1)
    async with running(parts) as server, deaf_listener(server, parts):
        (subscriber,) = parts.hub
        await until(lambda: not server.server.server_state.tasks, "the answer's end")
        assert subscriber.mailbox.closed is CloseCode.TOO_SLOW
        await until(lambda: not server.server.server_state.connections, "the connection being cut off")
        assert len(parts.hub) == 0


async def test_who_reads_no_events_and_has_his_key_revoked_is_cut_off_and_leaves_his_seat() -> None:
    parts = make_parts(auth_required=True, client_stall_seconds=3_600)
    key, kept = key_of(parts, Scope.STREAM)
    async with running(parts) as server, deaf_listener(server, parts, key):
        parts.keys.accept([replace(kept, revoked_ns=NOON_NS)])
        await until(lambda: not server.server.server_state.tasks, "the answer's end")
        await until(lambda: not server.server.server_state.connections, "the connection being cut off")
        assert len(parts.hub) == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("tickers=$", "tickers[0]"),
        ("max_rate=fast", "max_rate"),
        ("min_confidence=nan", "min_confidence"),
        ("final_only=yes", "final_only"),
        ("tickers=A,B,C", "tickers"),
    ],
)
async def test_a_wrong_query_names_the_field(query: str, field: str) -> None:
    parts: Parts = make_parts(maximum_tickers=2)
    async with client_of(parts) as client:
        answer = await client.get(f"/events/predictions?{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)
