"""The WebSocket, through a real server and a real client."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from schemas.sockets import PROTOCOL_VERSION
from tests.gateway.deaf import deaf_client
from tests.gateway.samples import make_parts, prediction, publish
from tests.gateway.web import DEADLINE_SECONDS, running, talking, until


async def test_welcome_comes_first_then_ack_snapshot_and_updates() -> None:
    parts = make_parts(prediction("AAPL", 1))
    async with running(parts) as server, connect(server.socket_url) as connection:
        welcome = json.loads(await connection.recv())
        assert (welcome["type"], welcome["protocol"], welcome["tickers"]) == ("welcome", PROTOCOL_VERSION, 1)
        await connection.send('{"action": "subscribe", "tickers": ["AAPL"]}')
        assert json.loads(await connection.recv())["type"] == "subscribed"
        snapshot = json.loads(await connection.recv())
        publish(parts, prediction("AAPL", 2))
        update = json.loads(await connection.recv())
        entry = parts.latest.get("AAPL")
        assert entry is not None
        assert snapshot["predictions"][0]["id"] == "AAPL/1"
        assert update == {"type": "prediction", **json.loads(entry.body)}


async def test_an_opened_socket_has_a_response_time_and_counts_in_the_histogram() -> None:
    parts = make_parts()
    async with running(parts) as server, talking(server) as client:
        assert client.connection.response is not None
        assert 0 <= float(client.connection.response.headers["X-Response-Time"]) < DEADLINE_SECONDS
    counted = b'tickcast_http_request_seconds_count{route="/ws/predictions",status="101"} 1.0'
    assert counted in parts.instruments.text()


async def test_every_update_comes_in_order_to_a_client_that_keeps_up() -> None:
    parts = make_parts()
    async with running(parts) as server, talking(server) as client:
        await client.say(action="subscribe", tickers=["*"])
        await client.hear_kind("subscribed")
        await client.hear_kind("snapshot")
        for number in range(200):
            publish(parts, prediction("AAPL", number))
        heard = [(await client.hear_kind("prediction"))["source_offset"] for _ in range(200)]
        assert heard == list(range(200))


async def test_binary_messages_are_read_like_text_and_errors_leave_the_connection_open() -> None:
    parts = make_parts(prediction("AAPL", 1))
    async with running(parts) as server, talking(server) as client:
        for wrong in ("{", b"\xff", " " * 70_000, '{"action": "buy"}'):
            await client.connection.send(wrong)
            await client.hear_kind("error")
        await client.connection.send(b'{"action": "subscribe", "tickers": ["AAPL"]}')
        await client.hear_kind("subscribed")


async def test_heartbeats_come_and_count() -> None:
    parts = make_parts(heartbeat_seconds=0.05)
    async with running(parts) as server, talking(server) as client:
        beats = [await client.hear_kind("heartbeat") for _ in range(3)]
        assert [beat["count"] for beat in beats] == [1, 2, 3]
        assert {beat["skipped"] for beat in beats} == {0}


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}])
async def test_a_foreign_origin_is_refused_at_the_handshake(headers: dict[str, str]) -> None:
    async with running(make_parts()) as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.socket_url, additional_headers=headers)
    response = refused.value.response
    assert response.status_code == 403
    assert response.headers["Content-Type"] == "application/problem+json"
    assert float(response.headers["X-Response-Time"]) >= 0


async def test_our_own_origin_is_let_in() -> None:
    async with running(make_parts()) as server, connect(server.socket_url, origin=server.url) as connection:  # type: ignore[arg-type]
        assert json.loads(await connection.recv())["type"] == "welcome"


async def test_another_path_is_refused_at_the_handshake() -> None:
    async with running(make_parts()) as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.socket_url + "/other")
    assert refused.value.response.status_code == 404
    assert "/ws/predictions" in json.loads(refused.value.response.body)["detail"]


async def test_a_foreign_host_is_refused_at_the_handshake() -> None:
    async with running(make_parts()) as server:
        port = server.url.rpartition(":")[2]
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://evil.example:{port}/ws/predictions", host="127.0.0.1", port=int(port))
    assert refused.value.response.status_code == 421


@pytest.mark.parametrize("caught_up", [True, False])
async def test_nobody_is_let_in_before_the_view_has_caught_up_or_beyond_the_limit(caught_up: bool) -> None:
    parts = make_parts(caught_up=caught_up, maximum_clients=1)
    async with running(parts) as server:
        opened = [await connect(server.socket_url) for _ in range(caught_up)]
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.socket_url)
        for connection in opened:
            await connection.close()
    assert refused.value.response.status_code == 503
    assert int(refused.value.response.headers["Retry-After"]) >= 1


async def test_a_client_that_goes_away_leaves_nothing_behind() -> None:
    parts = make_parts()
    async with running(parts) as server:
        async with talking(server) as client:
            await client.say(action="subscribe", tickers=["AAPL"])
            await client.hear_kind("subscribed")
            assert len(parts.hub) == 1
        await until(lambda: len(parts.hub) == 0, "leaving")


async def test_the_stop_says_going_away_and_does_not_wait_for_a_client_that_never_reads() -> None:
    parts = make_parts()
    async with running(parts) as server, talking(server) as client, deaf_client(server, parts):
        for number in range(3_000):
            publish(parts, prediction("AAPL", number))
            await asyncio.sleep(0)
        server.server.stop()
        with pytest.raises(ConnectionClosed) as closed:
            await client.hear()
        await asyncio.wait_for(asyncio.shield(server.task), DEADLINE_SECONDS)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "the gateway is shutting down")


async def test_a_client_that_never_reads_stays_bounded_and_slows_nobody_and_ends_with_the_latest() -> None:
    parts = make_parts(client_queue=50)
    count = 4_000
    async with running(parts) as server, talking(server) as client, deaf_client(server, parts) as deaf:
        await client.say(action="subscribe", tickers=["*"])
        await client.hear_kind("subscribed")
        await client.hear_kind("snapshot")
        for number in range(count):
            publish(parts, prediction(f"T{number % 10}", number))
            assert (await client.hear_kind("prediction"))["source_offset"] == number
        assert len(deaf.mailbox) <= 50
        assert deaf.mailbox.skipped > count // 2
        latest = {f"T{number % 10}": number for number in range(count - 10, count)}
        heard = await asyncio.to_thread(deaf.read_until, latest)
        assert heard + deaf.mailbox.skipped == count
        assert deaf.bytes_read < 1_500_000, "what waits in the mailbox, in the process and in the kernel"


async def test_a_client_that_takes_nothing_for_too_long_is_cut_off_and_forgotten() -> None:
    parts = make_parts(client_stall_seconds=1)
    async with running(parts) as server, deaf_client(server, parts):
        number = 0

        def flooded_until_gone() -> bool:
            nonlocal number
            for number in range(number, number + 100):  # noqa: B020
                publish(parts, prediction("AAPL", number + 1))
            number += 1
            return len(parts.hub) == 0

        await until(flooded_until_gone, "being cut off")
