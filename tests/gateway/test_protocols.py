"""What is answered before the application is asked, and what is logged when a client is gone: raw bytes."""

import asyncio
import itertools
import json
import logging

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.gateway.samples import make_parts, prediction, publish
from tests.gateway.web import DEADLINE_SECONDS, Running, running, talking

UPGRADE = b"Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"


async def _ask(server: Running, request: bytes) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
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
    ],
)
async def test_what_is_no_request_and_no_handshake_is_a_problem_with_a_response_time_too(
    request_bytes: bytes, status: int
) -> None:
    async with running(make_parts()) as server:
        answered, headers, body = await _ask(server, request_bytes)
    assert answered == json.loads(body)["status"] == status
    assert headers["content-type"] == "application/problem+json"
    assert 0 <= float(headers["x-response-time"]) < DEADLINE_SECONDS
    assert int(headers["content-length"]) == len(body)
    assert status != 405 or "GET" in headers["allow"]


async def test_a_refused_handshake_is_no_error_in_our_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with running(make_parts()) as server:
            with pytest.raises(InvalidStatus):
                await connect(server.socket_url, additional_headers={"Origin": "http://evil.example"})
    assert [record.getMessage() for record in caplog.records] == []


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
