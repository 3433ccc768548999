"""Ask a part over HTTP whether it is ready."""

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urlsplit

from deploy.addresses import own_server_context

ASK_EVERY_SECONDS = 0.1
_ANSWER_WITHIN_SECONDS = 3.0


async def fetch(url: str) -> tuple[int, bytes]:
    """GET an address of this machine.

    Returns:
        Status and body.

    Raises:
        OSError: Nobody answers, or not within 3 s.
    """
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_SECONDS):
            return await _exchange(parts)
    except (TimeoutError, IndexError, ValueError, EOFError) as error:
        raise OSError(f"no answer from {url}: {error}") from error


async def _exchange(url: SplitResult) -> tuple[int, bytes]:
    context = own_server_context() if url.scheme == "https" else None
    reader, writer = await asyncio.open_connection(url.hostname, url.port, ssl=context)
    try:
        request = f"GET {url.path} HTTP/1.0\r\nHost: {url.netloc}\r\nAccept: application/json\r\n\r\n"
        writer.write(request.encode())
        head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
        return int(head.split(None, 2)[1]), rest
    finally:
        writer.close()


async def until_ready(url: str) -> None:
    """Return when the address answers 200; ask until then."""
    await until(url, lambda _: True)


class KeyRequiredError(Exception):
    """Who asks has to say who he is: to ask again helps nobody."""


async def until(url: str, holds: Callable[[Any], bool]) -> Any:
    """Ask for JSON until it comes with a 200 and holds; give it.

    Raises:
        KeyRequiredError: The answer is a 401.
    """
    while True:
        try:
            status, body = await fetch(url)
            if status == HTTPStatus.OK:
                answer = json.loads(body)
                if holds(answer):
                    return answer
            if status == HTTPStatus.UNAUTHORIZED:
                raise KeyRequiredError
        except (OSError, json.JSONDecodeError):
            pass  # not yet: asked again
        await asyncio.sleep(ASK_EVERY_SECONDS)
