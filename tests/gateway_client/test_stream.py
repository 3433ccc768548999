"""Streams over real sockets, with a gateway that says what a test wants."""

import asyncio
import logging
import threading
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from gateway.client import (
    Disconnected,
    Event,
    Gap,
    ProtocolError,
    RefusedError,
    Stream,
    connect,
    connect_sync,
)
from schemas.close_codes import CloseCode
from schemas.sockets import (
    Auth,
    BarSnapshot,
    ErrorMessage,
    ServerShutdown,
    Since,
    Snapshot,
    Subscribe,
    Unsubscribe,
)
from tests.gateway.proxy import Proxy, standing
from tests.gateway.web import DEADLINE_SECONDS
from tests.gateway_client.samples import bar, forming_bar, streamed, subscribed, update, welcome
from tests.gateway_client.scripted import Scripted, saying, scripted

GREETING = (welcome(), subscribed("AAPL"))


def in_front_of(gateway: Scripted) -> AbstractAsyncContextManager[Proxy]:
    return standing(Proxy(int(gateway.url.rpartition(":")[2])))


async def first(stream: Stream[Any], count: int) -> list[Event]:
    """Give the first events."""
    taken: list[Event] = []
    async with asyncio.timeout(DEADLINE_SECONDS), aclosing(stream.events()) as events:
        async for event in events:
            taken.append(event)
            if len(taken) == count:
                break
    return taken


async def test_the_five_lines_of_the_readme_work_and_snapshots_count_as_updates() -> None:
    script = saying(*GREETING, Snapshot([streamed("AAPL", 5, 3)]), update("AAPL", 6, 5), stay=True)
    heard = []
    async with scripted(script) as gateway:
        async with connect(gateway.url, api_key="tc_1_x") as client:
            async for one in client.predictions(["aapl"]):
                heard.append((one.ticker, one.seq, one.prediction.price_target))
                if len(heard) == 2:
                    break
        assert await gateway.hears(2) == [Auth(key="tc_1_x"), Subscribe(tickers=["AAPL"], id="1")]
        assert gateway.paths == ["/ws/predictions"]
    assert heard == [("AAPL", seq, streamed("AAPL", 5, 3).prediction.price_target) for seq in (5, 6)]


async def test_after_a_broken_network_it_comes_back_by_itself_resumes_and_says_what_is_missing() -> None:
    scripts = saying(*GREETING, update("AAPL", 5, 3), stay=True), saying(*GREETING, update("AAPL", 9, 7), stay=True)
    async with scripted(*scripts) as gateway, in_front_of(gateway) as network:
        async with connect(f"http://{network.address}") as client:
            stream = client.predictions(["AAPL"])
            assert await first(stream, 3) == [*GREETING, update("AAPL", 5, 3)]
            network.cut()
            lost, *events = await first(stream, 5)
            assert isinstance(lost, Disconnected)
            assert lost.code is None
            assert events == [*GREETING, Gap("AAPL", 5, 9), update("AAPL", 9, 7)]
        resumed = Subscribe(tickers=["AAPL"], id="2", since=Since(epoch="one", seq={"AAPL": 5}))
        assert await gateway.hears(1, place=1) == [resumed]


async def test_a_mute_server_is_torn_down() -> None:
    quick = welcome(heartbeat_seconds=0.1)
    async with scripted(saying(quick, stay=True)) as gateway, in_front_of(gateway) as network:
        client = connect(f"http://{network.address}")
        stream = client.predictions(["AAPL"])
        assert await first(stream, 1) == [quick]
        network.freeze()
        (lost,) = await first(stream, 1)
        network.thaw()
        assert isinstance(lost, Disconnected)
        assert "said nothing for 0.25 s" in lost.reason
        assert await first(stream, 1) == [quick]
        await client.close()


async def test_what_the_gateway_refuses_for_good_ends_the_stream() -> None:
    async with scripted(saying(welcome(), code=CloseCode.AUTH_FAILED)) as gateway, connect(gateway.url) as client:
        stream = client.predictions(["AAPL"])
        with pytest.raises(RefusedError, match="as the script says") as refused:
            await first(stream, 2)
        assert refused.value.code == CloseCode.AUTH_FAILED
        assert stream.closed
        assert len(gateway.heard) == 1


@pytest.mark.parametrize("code", [1001, 1012, 4000, 4001])
async def test_what_passes_is_waited_for_as_long_as_the_gateway_says(code: int) -> None:
    goodbye = ServerShutdown(reconnect_after_ms=50, message="bye")
    scripts = saying(*GREETING, goodbye, code=code), saying(*GREETING, stay=True)
    async with scripted(*scripts) as gateway, connect(gateway.url) as client:
        events = await first(client.predictions(["AAPL"]), 6)
        assert events == [*GREETING, goodbye, Disconnected(code, "as the script says", 0.05), *GREETING]


async def test_a_refused_handshake_and_a_gateway_that_is_not_there_yet_are_waited_for() -> None:
    async with scripted(saying(*GREETING, stay=True), refusals=1) as gateway, connect(gateway.url) as client:
        refused, *greeting = await first(client.predictions(["AAPL"]), 3)
        assert isinstance(refused, Disconnected)
        assert (refused.code, refused.reason) == (503, "still reading")
        assert greeting == [*GREETING]


async def test_msgpack_bars_and_forming_bars_come_typed() -> None:
    snapshot = BarSnapshot(bars=[], complete=True)
    script = saying(*GREETING, snapshot, bar("AAPL", 5, None), forming_bar("AAPL"), stay=True, binary=True)
    async with scripted(script) as gateway, connect(gateway.url) as client:
        stream = client.bars(["AAPL"], format="msgpack")
        assert await first(stream, 5) == [*GREETING, snapshot, bar("AAPL", 5, None), forming_bar("AAPL")]
        assert gateway.paths == ["/ws/bars"]
        assert await gateway.hears(1) == [Subscribe(tickers=["AAPL"], id="1", format="msgpack")]


async def test_a_message_that_is_not_as_the_schema_says_ends_the_stream_and_a_new_kind_of_message_does_not() -> None:
    async def script(connection: ServerConnection) -> None:
        for text in ('{"type": "weather", "sun": true}', '{"type": "heartbeat", "count": "one"}'):
            await connection.send(text)
        await connection.wait_closed()

    async with scripted(script) as gateway, connect(gateway.url) as client:
        with pytest.raises(ProtocolError, match="count"):
            await first(client.predictions(["AAPL"]), 1)


async def test_whoever_takes_updates_alone_is_told_of_refused_tickers_and_reads_of_gaps_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = ErrorMessage(code="too_many_tickers", message="name fewer")
    script = saying(*GREETING, update("AAPL", 5, 3), update("AAPL", 9, 7), error, stay=True)
    async with scripted(script) as gateway, connect(gateway.url) as client:
        with caplog.at_level(logging.WARNING, "gateway.client"), pytest.raises(RefusedError, match="name fewer"):
            async for _ in client.predictions(["AAPL"]):
                pass
    assert "Gap(ticker='AAPL', after=5, before=9)" in caplog.text


async def test_a_token_that_expires_is_followed_by_a_new_one_where_the_stream_was() -> None:
    tokens = iter(["first", "second"])
    expired = ErrorMessage(code="auth_expired", message="send auth again")
    before = saying(*GREETING, update("AAPL", 5, 3), expired, code=4002)
    after = saying(*GREETING, update("AAPL", 7, 5), stay=True)
    async with scripted(before, after) as gateway, connect(gateway.url, token=lambda: next(tokens)) as client:
        heard = []
        async for one in client.predictions(["AAPL"]):
            heard.append(one.seq)
            if one.seq == 7:
                break
        resumed = Subscribe(tickers=["AAPL"], id="2", since=Since(epoch="one", seq={"AAPL": 5}))
        assert await gateway.hears(2, place=1) == [Auth(token="second"), resumed]
    assert heard == [5, 7]


async def test_wishes_change_while_it_runs() -> None:
    async with scripted(saying(*GREETING, stay=True)) as gateway, connect(gateway.url) as client:
        stream = client.predictions(["AAPL"])
        await first(stream, 2)
        await stream.subscribe(["MSFT"])
        await stream.unsubscribe(["AAPL"])
        assert await gateway.hears(3) == [
            Subscribe(tickers=["AAPL"], id="1"),
            Subscribe(tickers=["MSFT"], id="2"),
            Unsubscribe(tickers=["AAPL"], id="3"),
        ]


@pytest.mark.parametrize("there", [True, False])
async def test_a_close_ends_who_waits(there: bool) -> None:
    async with scripted(saying(*GREETING, stay=True)) as gateway:
        url = gateway.url if there else "http://127.0.0.1:1"
        async with connect(url) as client:
            stream = client.predictions(["AAPL"])
            await first(stream, 2)
            waiting = asyncio.create_task(stream.next_events())
            await asyncio.sleep(0.05)
            await stream.close()
            assert not await asyncio.wait_for(waiting, DEADLINE_SECONDS)


async def test_the_client_without_await_gives_the_same_and_another_thread_may_close_it() -> None:
    script = saying(*GREETING, Snapshot([streamed("AAPL", 5, 3)]), update("AAPL", 9, 7), stay=True)

    def talk(url: str) -> list[Event]:
        with connect_sync(url) as client:
            stream = client.predictions(["AAPL"])
            stream.subscribe(["MSFT"])
            closing = threading.Timer(0.5, stream.close)
            closing.start()
            events = list(stream.events())
            closing.join()
            assert next(iter(client.predictions(["AAPL"]))) == streamed("AAPL", 5, 3)
        return events

    async with scripted(script) as gateway:
        events = await asyncio.to_thread(talk, gateway.url)
        assert events == [*GREETING, Snapshot([streamed("AAPL", 5, 3)]), Gap("AAPL", 5, 9), update("AAPL", 9, 7)]
        assert await gateway.hears(1) == [Subscribe(tickers=["AAPL", "MSFT"], id="1")]
