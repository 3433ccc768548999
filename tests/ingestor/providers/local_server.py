"""What the local servers of all providers have in common."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from ingestor.sources.bar_play import PlayedBar


class LocalServer(ABC):
    """See `FakeProvider`.

    Attributes:
        day_begins_ns: The start of a daily bar, after 00:00 UTC.
    """

    polls = False
    keyless = False
    counts_day_volume = False
    precision_ns = 1

    def __init__(self, page_bars: int = 0) -> None:
        """Have nothing to tell yet."""
        self.history: dict[str, dict[int, PlayedBar]] = {}
        self.requests: list[str] = []
        self.connections = 0
        self.answers: list[tuple[int, str | None]] = []
        self.body: bytes | None = None
        self.page_bars = page_bars
        self.day_begins_ns = 0
        self._server: Server | None = None
        self._subscribed: dict[ServerConnection, set[str]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve on a free port."""
        async with serve(self._talk, "127.0.0.1", 0, process_request=self._http) as self._server:
            yield

    @property
    def port(self) -> int:
        """Give where it listens."""
        assert self._server is not None
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    async def drop(self) -> None:
        """Break off without a word, as a network does."""
        for connection in list(self._subscribed):
            connection.transport.abort()
            await connection.wait_closed()

    def _next_status(self, request: Request) -> tuple[int, str | None]:
        """Note a request of its REST side; give the status to answer with, and when to come again."""
        self.requests.append(request.path)
        return self.answers.pop(0) if self.answers else (200, None)

    @abstractmethod
    async def _talk(self, connection: ServerConnection) -> None:
        """Serve a stream."""

    @abstractmethod
    async def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a request; None: it opens a stream."""


def json_answer(status: int, content: bytes, retry_after: str | None = None, place: str = "/elsewhere") -> Response:
    """Give an answer of a REST side.

    Args:
        place: Where a redirect leads.
    """
    headers = Headers({"Content-Type": "application/json", "Connection": "close", "Content-Length": str(len(content))})
    if status == HTTPStatus.FOUND:
        headers["Location"] = place
    if retry_after is not None:
        headers["Retry-After"] = retry_after
    return Response(status, HTTPStatus(status).phrase, headers, content)
