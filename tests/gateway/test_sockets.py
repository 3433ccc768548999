"""The WebSocket, through a real server and a real client."""

import asyncio
import contextlib
import dataclasses
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.delivery import RECONNECT_WITHIN_MS
from gateway.intake import Intake
from gateway.parts import Parts
from schemas.close_codes import CloseCode
from schemas.sockets import PROTOCOL_VERSION
from tests.gateway.deaf import deaf_client
from tests.gateway.samples import NOON_NS, bar, make_parts, prediction, publish, publish_bar, record_of
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
        assert update == {"type": "prediction", "seq": 2, "prev": 1, "prev_final": 1, **json.loads(entry.body)}


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


async def test_heartbeats_come_and_count_and_tell_the_age_of_the_newest_record_though_nothing_happens() -> None:
    parts = dataclasses.replace(
        make_parts(prediction("AAPL", 1), heartbeat_seconds=0.05), clock_ns=lambda: NOON_NS + 2_500_000_000
    )
    async with running(parts) as server, talking(server) as client:
        beats = [await client.hear_kind("heartbeat") for _ in range(3)]
        assert [beat["count"] for beat in beats] == [1, 2, 3]
        assert {(beat["skipped"], beat["upstream_age_seconds"]) for beat in beats} == {(0, 2.5)}


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


async def flood(parts: Parts, count: int) -> None:
    for number in range(count):
        publish(parts, prediction("AAPL", number))
        await asyncio.sleep(0)


async def test_the_stop_says_when_to_come_back_and_does_not_wait_for_a_client_that_never_reads() -> None:
    parts = make_parts()
    async with running(parts) as server, talking(server) as client, deaf_client(server, parts):
        await flood(parts, 3_000)
        server.server.stop()
        await asyncio.wait_for(asyncio.shield(server.task), DEADLINE_SECONDS)
        shutdown = await client.hear_kind("server_shutdown")
        with pytest.raises(ConnectionClosed) as closed:
            await client.hear()
        assert 0 <= shutdown["reconnect_after_ms"] < RECONNECT_WITHIN_MS
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "the gateway is shutting down")


async def test_every_client_is_told_another_moment_to_come_back() -> None:
    parts = make_parts()
    async with running(parts) as server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(talking(server)) for _ in range(8)]
        server.server.stop()
        told = [(await client.hear_kind("server_shutdown"))["reconnect_after_ms"] for client in clients]
    assert len(set(told)) > 1


async def test_a_client_that_never_reads_stays_bounded_and_slows_nobody_and_ends_with_the_newest() -> None:
    parts = make_parts(client_queue=50, client_stall_seconds=3_600)
    count = 4_000
    async with running(parts) as server, talking(server) as client, deaf_client(server, parts) as deaf:
        await client.say(action="subscribe", tickers=["*"])
        await client.hear_kind("subscribed")
        await client.hear_kind("snapshot")
        for number in range(count):
            publish(parts, prediction(f"T{number % 10}", number, provisional=True))
            assert (await client.hear_kind("prediction"))["source_offset"] == number
        assert len(deaf.mailbox) <= 50
        assert deaf.mailbox.skipped > count // 2
        latest = {f"T{number % 10}": number for number in range(count - 10, count)}
        heard = await asyncio.to_thread(deaf.read_until, latest)
        assert heard + deaf.mailbox.skipped == count
        assert deaf.bytes_read < 1_500_000, "what waits in the mailbox, in the process and in the kernel"


async def test_a_client_that_reads_nothing_is_conflated_after_a_while_though_little_waits() -> None:
    parts = make_parts(client_conflate_seconds=0.2, client_stall_seconds=3_600)
    async with running(parts) as server, deaf_client(server, parts) as deaf:
        number = 0

        def conflated() -> bool:
            nonlocal number
            number += 1
            publish(parts, prediction("AAPL", number, provisional=True))
            return deaf.mailbox.skipped > 10

        await until(conflated, "only the newest being kept")
        assert number < parts.settings.client_queue


async def test_with_a_rate_the_first_update_comes_and_then_the_newest() -> None:
    parts = make_parts()
    async with running(parts) as server, talking(server) as client:
        await client.say(action="subscribe", tickers=["AAPL"], max_rate=2)
        assert (await client.hear_kind("subscribed"))["gapless"] is False
        await client.hear_kind("snapshot")
        for number in range(1, 6):
            publish(parts, prediction("AAPL", number, provisional=True))
        heard = [await client.hear_kind("prediction") for _ in range(2)]
        assert [(one["prev"], one["seq"]) for one in heard] == [(None, 1), (4, 5)]


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_compression_is_a_setting_and_changes_nothing_that_is_said(compression: str | None) -> None:
    parts = make_parts(prediction("AAPL", 1), websocket_compression=compression is not None)
    async with running(parts) as server, talking(server, compression="deflate") as client:
        assert client.connection.response is not None
        assert ("Sec-WebSocket-Extensions" in client.connection.response.headers) == (compression is not None)
        for text_format in ("json", "msgpack"):
            await client.say(action="subscribe", tickers=["AAPL"], format=text_format)
            await client.hear_kind("subscribed")
            assert (await client.hear_kind("snapshot"))["predictions"][0]["id"] == "AAPL/1"
        publish(parts, prediction("AAPL", 2))
        assert (await client.hear_kind("prediction"))["seq"] == 2
        server.server.stop()
        await client.hear_kind("server_shutdown")


async def test_bars_and_the_one_that_forms_come_at_their_own_address() -> None:
    parts = make_parts()
    intake = Intake(parts, lambda letter: pytest.fail(letter.reason))
    async with running(parts) as server, talking(server, server.bars_url) as client:
        publish_bar(parts, bar("AAPL", 1, bar_index=300))
        await client.say(action="subscribe", tickers=["AAPL"])
        await client.hear_kind("subscribed")
        assert [one["seq"] for one in (await client.hear_kind("bar_snapshot"))["bars"]] == [1]
        for offset, bar_index, provisional in ((5, 299, True), (6, 300, True), (7, 301, False)):
            given = prediction("AAPL", offset, bar_index=bar_index, provisional=provisional)
            intake.take("predictions-latest", record_of(given, offset))
        forming = await client.hear_kind("forming_bar")
        assert (forming["bar_index"], forming["close"]) == (300, 1.5)
        assert "seq" not in forming
        intake.take("bars", record_of(bar("AAPL", 7, bar_index=301), 2))
        closed = await client.hear_kind("bar")
        assert (closed["seq"], closed["prev"], closed["bar_index"]) == (2, 1, 301)


async def test_a_topic_made_anew_ends_every_conversation_with_its_own_code() -> None:
    parts = make_parts()
    async with running(parts) as server, talking(server) as client:
        parts.hub.close(CloseCode.LOG_REPLACED)
        with pytest.raises(ConnectionClosed) as closed:
            await client.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == CloseCode.LOG_REPLACED


async def test_a_client_that_takes_nothing_for_too_long_is_closed_with_its_code_cut_off_and_forgotten() -> None:
    parts = make_parts(client_stall_seconds=1)
    async with running(parts) as server, deaf_client(server, parts) as deaf:
        number = 0

        def flooded_until_gone() -> bool:
            nonlocal number
            for number in range(number, number + 100):  # noqa: B020
                publish(parts, prediction("AAPL", number + 1))
            number += 1
            return len(parts.hub) == 0

        await until(flooded_until_gone, "being cut off")
        assert deaf.mailbox.closed is CloseCode.TOO_SLOW
        await until(lambda: not server.server.server_state.connections, "the connection being cut off")
