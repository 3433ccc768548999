"""Asking a part over HTTP whether it is ready."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from deploy.readiness import fetch, until, until_ready


def _answer(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@asynccontextmanager
async def _server(answers: Iterator[bytes]) -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(answers))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/health"


async def test_status_and_body_come_back() -> None:
    async with _server(iter([_answer("503 Service Unavailable", '{"state":"starting"}')])) as url:
        assert await fetch(url) == (503, b'{"state":"starting"}')


async def test_a_part_is_ready_when_it_answers_200_and_not_before() -> None:
    answers = iter(
        [_answer("503 x", "{}"), b"", b"garbage\r\n\r\n", _answer("200 OK", "not JSON"), _answer("200 OK", "{}")]
    )
    async with _server(answers) as url:
        await asyncio.wait_for(until_ready(url), 10)
    assert next(answers, None) is None


async def test_an_answer_is_asked_for_until_it_holds() -> None:
    answers = iter(
        [_answer("200 OK", '{"count":0}'), _answer("200 OK", '{"count":1}'), _answer("200 OK", '{"count":2}')]
    )
    async with _server(answers) as url:
        assert await asyncio.wait_for(until(url, lambda answer: answer["count"] > 0), 10) == {"count": 1}


async def test_nobody_there_is_an_os_error() -> None:
    async with _server(iter([])) as url:
        pass
    with pytest.raises(OSError, match=r"."):
        await fetch(url)
