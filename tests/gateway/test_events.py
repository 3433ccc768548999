"""Server-sent events: the messages of the WebSocket, resumed by the browser's own means."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.parts import Parts
from tests.gateway.contract import read_message
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
