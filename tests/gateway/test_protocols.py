"""What is answered before the application is asked, and what is logged when a client is gone: raw bytes."""

import asyncio
import contextlib
import itertools
import json
import logging
import socket
from collections.abc import Awaitable
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.protocols import MAXIMUM_FRAGMENTS, MAXIMUM_UNFINISHED_BYTES
from tests.gateway.deaf import deaf_client, deaf_socket
from tests.gateway.samples import make_parts, prediction, publish
from tests.gateway.web import DEADLINE_SECONDS, Running, running, talking, until

UPGRADE = b"Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
#: Handshakes that websockets' own parser refuses, each with the status that it chooses.
UNREADABLE_HANDSHAKES = [
    (b"GET /ws/predictions HTTP/1.1\r\n" + UPGRADE + KEY + more + b"\r\n", status)
    for more, status in (
        (b"X-Long: " + b"a" * 9_000 + b"\r\n", 431),
        (b"".join(b"X-%d: 1\r\n" % number for number in range(130)), 431),
        (b"Content-Length: 3\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n", 400),
    )
]
UNREADABLE_HANDSHAKES.append((b"GET /ws/predictions?" + b"a" * 9_000 + b" HTTP/1.1\r\n" + UPGRADE + KEY + b"\r\n", 414))


def _connect(server: Running) -> Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    return asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))


async def _ask(server: Running, request: bytes) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await _connect(server)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), DEADLINE_SECONDS)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(status.split()[1]), headers, body


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /predict/A B HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET /predict/é HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), 400),
        (b"BREW /predict/AAPL HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /ws/predictions HTTP/1.1\r\n" + UPGRADE + b"\r\n", 400),
        (b"GET /ws/predictions HTTP/1.1\r\n" + UPGRADE + KEY.replace(b"13", b"8") + b"\r\n", 400),
        (b"POST /ws/predictions HTTP/1.1\r\n" + UPGRADE + KEY + b"\r\n", 405),
        (b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET /health HTTP/1.0\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /ws/predictions HTTP/1.1\r\nHost: localhost\r\n" + UPGRADE + KEY + b"\r\n", 400),
        *UNREADABLE_HANDSHAKES,
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * MAXIMUM_UNFINISHED_BYTES, 431),
        (b"GET /" + b"a" * MAXIMUM_UNFINISHED_BYTES, 414),
    ],
    ids=lambda value: repr(value)[2:100],
)
async def test_what_is_not_a_request_or_not_a_handshake_is_a_problem_with_a_response_time_too(
    request_bytes: bytes, status: int
) -> None:
    async with running(make_parts()) as server:
        answered, headers, body = await _ask(server, request_bytes)
    assert answered == json.loads(body)["status"] == status
    assert headers["content-type"] == "application/problem+json"
    assert 0 <= float(headers["x-response-time"]) < DEADLINE_SECONDS
    assert int(headers["content-length"]) == len(body)
    assert status != 405 or "GET" in headers["allow"]


async def test_a_refused_handshake_is_said_once_and_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with running(make_parts()) as server:
            with pytest.raises(InvalidStatus):
                await connect(server.socket_url, additional_headers={"Origin": "http://evil.example"})
    assert [record.getMessage() for record in caplog.records] == ["refused 127.0.0.1: foreign origin"]


async def test_a_client_that_is_thrown_out_amid_updates_is_no_error_in_our_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    parts, numbers = make_parts(), itertools.count()
    with caplog.at_level(logging.WARNING):
        async with running(parts) as server, talking(server) as client:
            await client.say(action="subscribe", tickers=["*"])
            await client.hear_kind("subscribed")
            sending = asyncio.create_task(client.connection.send("x" * 2_000_000))
            async with asyncio.timeout(DEADLINE_SECONDS):
                while len(parts.hub):  # so that there is always something on its way
                    publish(parts, prediction("AAPL", next(numbers)))
                    await asyncio.sleep(0)
            await asyncio.wait_for(client.connection.wait_closed(), DEADLINE_SECONDS)
            await asyncio.wait({sending})
    assert [record.getMessage() for record in caplog.records] == []


async def test_a_large_body_is_not_taken_for_large_headers() -> None:
    length = 600_000
    headers = b"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % length
    request = b"POST /predictions HTTP/1.1\r\n" + headers + b"x" * length
    async with running(make_parts()) as server:
        reader, writer = await _connect(server)
        writer.write(request + b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answers = await asyncio.wait_for(reader.read(), DEADLINE_SECONDS)
        writer.close()
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"405", b"404"]


async def test_a_browser_with_many_cookies_of_other_servers_on_localhost_gets_its_socket() -> None:
    cookies = {"Cookie": "; ".join(f"name{number}={'x' * 100}" for number in range(100))}
    async with running(make_parts()) as server, talking(server, additional_headers=cookies):
        pass


async def test_the_stop_is_in_order_while_a_client_holds_on_to_a_handshake_that_cannot_be_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        async with running(make_parts()) as server, talking(server) as client:
            for request, _ in UNREADABLE_HANDSHAKES:
                reader, writer = await _connect(server)
                writer.write(request)
                assert await asyncio.wait_for(reader.readline(), DEADLINE_SECONDS)
            server.server.stop()
            await asyncio.wait_for(asyncio.shield(server.task), DEADLINE_SECONDS)
            await client.hear_kind("server_shutdown")
            with pytest.raises(ConnectionClosed) as closed:
                await client.hear()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    assert [record.getMessage() for record in caplog.records] == []


LONG_BODY = b" /auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"


@pytest.mark.parametrize(
    "said",
    [
        *(b"", b"\r\n", b"GET /health HTTP/1.1\r\nHost: loc"),
        *(b"POST" + LONG_BODY, b"POST" + LONG_BODY + b"{"),
    ],
)
async def test_a_client_that_completes_no_request_is_disconnected(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr("gateway.protocols.MAXIMUM_UNFINISHED_SECONDS", 0.1)
    monkeypatch.setattr("gateway.protocols.MAXIMUM_BODY_SECONDS", 0.1)
    async with running(make_parts()) as server:
        reader, writer = await _connect(server)
        writer.write(said)
        assert await asyncio.wait_for(reader.read(), DEADLINE_SECONDS) == b""
        writer.close()


@pytest.mark.parametrize("method", [b"POST", b"GET"])  # the body of a GET is never asked for
async def test_a_client_that_sends_its_body_byte_by_byte_is_disconnected(
    monkeypatch: pytest.MonkeyPatch, method: bytes
) -> None:
    monkeypatch.setattr("gateway.protocols.MAXIMUM_BODY_SECONDS", 0.3)
    async with running(make_parts()) as server:
        _, writer = await _connect(server)
        writer.write(method + LONG_BODY.replace(b"100", b"1000000") + b"{")
        connection = await _only_connection(server)

        def trickled_until_gone() -> bool:
            writer.write(b" ")
            return connection not in server.server.server_state.connections

        await until(trickled_until_gone, "being disconnected")
        writer.close()


async def test_connections_are_bounded_and_one_that_ends_makes_room() -> None:
    request = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with running(make_parts(maximum_clients=1, maximum_http_connections=1)) as server, talking(server):
        reader, writer = await _connect(server)
        await until(lambda: len(server.server.server_state.connections) == 2, "both being open")
        status, headers, body = await _ask(server, b"")
        assert (status, headers["connection"]) == (503, "close")
        assert json.loads(body)["type"].endswith("too-many-connections")
        assert await _status(reader, writer, request) == 200
        await until(lambda: len(server.server.server_state.connections) == 1, "one having ended")
        assert (await _ask(server, request))[0] == 200


async def _status(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), DEADLINE_SECONDS)
    writer.close()
    return int(answer.split()[1])


async def test_the_time_for_a_request_begins_anew_with_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(make_parts()) as server:
        reader, writer = await _connect(server)
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 404 " in await asyncio.wait_for(reader.readline(), DEADLINE_SECONDS)
        monkeypatch.setattr("gateway.protocols.MAXIMUM_UNFINISHED_SECONDS", 0.1)
        writer.write(b"GET /noth")
        await asyncio.wait_for(reader.read(), DEADLINE_SECONDS)
        writer.close()


async def test_a_socket_that_is_open_has_all_the_time_of_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.protocols.MAXIMUM_UNFINISHED_SECONDS", 0.5)
    async with running(make_parts(heartbeat_seconds=0.1)) as server, talking(server) as client:
        for _ in range(7):
            await client.hear_kind("heartbeat")


async def _only_connection(server: Running) -> Any:
    connections = server.server.server_state.connections
    await until(lambda: len(connections) == 1, "the connection")
    return next(iter(connections))


async def test_of_a_client_that_asks_on_and_on_and_never_reads_only_one_stretch_of_requests_is_kept() -> None:
    request = b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n"
    stretch = 262_144  # what asyncio reads at once
    async with running(make_parts()) as server:
        asking = deaf_socket(server.url)
        connection = await _only_connection(server)
        sending = asyncio.create_task(asyncio.to_thread(_send_all, asking, request * (6 * stretch // len(request))))
        await until(lambda: connection.flow.write_paused, "nothing more fitting into the client's socket")
        assert len(connection.pipeline) <= stretch // len(request) + 1
        asking.shutdown(socket.SHUT_RDWR)
        await asyncio.wait({sending})
        asking.close()


async def test_the_stop_is_in_order_while_a_client_does_not_read_its_answers(caplog: pytest.LogCaptureFixture) -> None:
    async with running(make_parts()) as server:
        asking = deaf_socket(server.url)
        connection = await _only_connection(server)
        request = b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n"
        sending = asyncio.create_task(asyncio.to_thread(_send_all, asking, request * 20_000))
        await until(lambda: connection.flow.write_paused, "nothing more fitting into the client's socket")
        server.server.stop()
        await asyncio.wait_for(server.task, DEADLINE_SECONDS)
        await asyncio.wait({sending})
        asking.close()
    assert caplog.text == ""


def _send_all(connection: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # the test has seen enough
        connection.sendall(data)


async def test_a_client_that_pings_and_never_reads_makes_nothing_grow() -> None:
    parts, numbers = make_parts(), itertools.count()
    ping = b"\x89\xfd" + bytes(4) + b"x" * 125
    async with running(parts) as server, deaf_client(server, parts) as deaf:
        connection = await _only_connection(server)

        def stalled() -> bool:
            publish(parts, prediction("AAPL", next(numbers)))
            return not connection.writable.is_set()

        await until(stalled, "nothing more fitting into the client's socket")
        before = connection.transport.get_write_buffer_size()
        await asyncio.to_thread(deaf.say, ping * 10_000)
        await asyncio.to_thread(deaf.unsubscribe)
        await until(lambda: not any(one.everything for one in parts.hub), "everything that the client said being read")
        assert connection.transport.get_write_buffer_size() <= before


async def test_a_message_in_few_fragments_is_read_and_one_in_too_many_ends_the_connection() -> None:
    message = '{"action": "subscribe", "tickers": ["AAPL"]}'
    async with running(make_parts()) as server, talking(server) as client:
        await client.connection.send([*message, *[""] * (MAXIMUM_FRAGMENTS - len(message) - 1)])  # and one that ends it
        await client.hear_kind("subscribed")
        await client.hear_kind("snapshot")
        await client.connection.send([message, *[""] * MAXIMUM_FRAGMENTS])
        with pytest.raises(ConnectionClosed) as closed:
            await client.hear()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


async def test_text_that_is_not_utf8_ends_the_connection_without_a_word_in_our_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        async with running(make_parts()) as server, talking(server) as client:
            await client.connection.send([b'{"action": "', b"\xff"], text=True)
            with pytest.raises(ConnectionClosed) as closed:
                await client.hear()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007
    assert [record.getMessage() for record in caplog.records] == []
