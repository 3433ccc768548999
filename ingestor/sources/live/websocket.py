"""WebSockets of providers, opened alike."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ingestor.sources.live.answers import http_error
from ingestor.sources.live.packages import live_package
from ingestor.sources.live.provider import ProviderAwayError
from schemas.errors import StopAndSayError

#: At the level of debug, `websockets` would write down what holds a key: the address, or a frame.
_log = logging.getLogger(__name__)
_log.setLevel(logging.INFO)

#: What `websockets` is told of every connection.
WEBSOCKET_OPTIONS: dict[str, Any] = {
    "ping_interval": 10,
    "ping_timeout": 20,
    "close_timeout": 1,
    "max_queue": 1_024,
    "logger": _log,
}


@asynccontextmanager
async def open_websocket(source: str, url: str, *, keyless: bool = False, **options: Any) -> AsyncIterator[Any]:
    """Open a connection, and close it after use; no error of it shows the address, which may hold a key.

    Args:
        keyless: It has no key to refuse, so a refusal is one for a while.
        options: More of what `websockets` can be told.

    Raises:
        ProviderAwayError: There is none, or it broke while it was used.
        StopAndSayError: It is refused, or the address is wrong.
    """
    exceptions = live_package("websockets.exceptions")
    connect: Any = live_package("websockets.asyncio.client").connect

    class Connect(connect):  # type: ignore[misc]  # it is loaded only where it is needed
        def process_redirect(self, exc: Exception) -> Exception:
            """Follow none: the key would go to whoever is named there, and stand in the error where that fails."""
            return exc

    try:
        live_package("websockets.uri").parse_uri(url)
    except exceptions.InvalidURI:
        raise StopAndSayError(f"{source}'s stream: its address is not one like wss://host") from None
    try:
        async with Connect(url, **WEBSOCKET_OPTIONS, **options) as websocket:
            yield websocket
    except exceptions.InvalidStatus as error:
        status, headers = error.response.status_code, error.response.headers
        if keyless:
            raise ProviderAwayError(f"{source}'s stream answers {status}") from error
        raise http_error(f"{source}'s stream", status, "at the handshake", headers.get("Retry-After")) from error
    except (OSError, TimeoutError, exceptions.WebSocketException) as error:
        raise ProviderAwayError(f"{source}'s stream: {type(error).__name__}: {error}") from error
