"""What the soak of the gateway lets pass, and what ends it."""

import asyncio

import httpx
import pytest

from benchmarks.gateway.comings_and_goings import Clients
from benchmarks.gateway.socket_reader import Reader, Tally, connected, ended
from gateway.parts import Parts
from schemas.close_codes import CloseCode
from tests.gateway.samples import make_parts, prediction, publish
from tests.gateway.web import running, until

TICKERS = [f"T{number:05d}" for number in range(50)]


async def ask(status: int, kind: str, times: int) -> None:
    body = {"type": f"urn:tickcast:problem:{kind}"}
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    clients = Clients("127.0.0.1:1", len(TICKERS), seed=1)
    async with httpx.AsyncClient(transport=transport) as client:
        for _ in range(times):
            await clients.ask(client)


async def test_a_few_questions_may_be_sent_away_by_the_database_and_nothing_else_may_fail() -> None:
    await ask(404, "unknown-ticker", 100)
    await ask(503, "history-busy", 5)
    for status, kind, times in ((503, "history-busy", 7), (500, "history-busy", 1), (503, "not-ready", 1)):
        with pytest.raises(RuntimeError, match=kind):
            await ask(status, kind, times)


async def keep_publishing(parts: Parts) -> None:
    number = 0
    while True:
        number += 1
        for ticker in TICKERS:
            publish(parts, prediction(ticker, number, provisional=True))
        await asyncio.sleep(0.01)


async def test_a_deaf_client_stalls_and_finds_at_last_that_it_was_ended_and_one_that_reads_was_not() -> None:
    parts = make_parts(*(prediction(ticker) for ticker in TICKERS), client_stall_seconds=1)
    publishing = asyncio.create_task(keep_publishing(parts))
    tally = Tally()
    async with running(parts) as server:
        address = server.url.removeprefix("http://")
        path = "/ws/predictions"
        reader, deaf = (Reader(tally, address, TICKERS[:2], deaf=deaf, path=path) for deaf in (False, True))
        reading, stalling = [await connected(each, address) for each in (reader, deaf)]
        await until(lambda: any(client.everything for client in parts.hub), "the deaf client's subscription")
        (of_the_deaf,) = (client.mailbox for client in parts.hub if client.everything)
        await until(lambda: of_the_deaf.closed is not None, "its end")
        assert of_the_deaf.closed is CloseCode.TOO_SLOW
        assert await ended([deaf]) == 1
        assert (reader.ended, tally.closed) == (False, 1)
        for transport in (reading, stalling):
            transport.abort()
    publishing.cancel()
