"""A gateway whose every word a test chooses."""

import asyncio
import contextlib
import http
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from schemas.sockets import ClientMessage
from tests.gateway.web import until

Script = Callable[[ServerConnection], Awaitable[None]]
_read = msgspec.json.Decoder(ClientMessage).decode


@dataclass
class Scripted:
    """A server that follows one script per connection, and the last of them from then on.

    Attributes:
        heard: What its clients said, by connection.
    """

    scripts: list[Script]
    url: str = ""
    paths: list[str] = field(default_factory=list)
    heard: list[list[ClientMessage]] = field(default_factory=list)

    async def follow(self, connection: ServerConnection) -> None:
        """Follow the next script, and note all that the client says."""
        said: list[ClientMessage] = []
        script = self.scripts[min(len(self.heard), len(self.scripts) - 1)]
        self.heard.append(said)
        self.paths.append(connection.request.path if connection.request else "")
        listening = asyncio.create_task(self._listen(connection, said))
        with contextlib.suppress(ConnectionClosed):
            await script(connection)
            await connection.close()
        listening.cancel()

    async def _listen(self, connection: ServerConnection, said: list[ClientMessage]) -> None:
        while True:
            said.append(_read(await connection.recv()))

    async def hears(self, count: int, place: int = 0) -> list[ClientMessage]:
        """Wait until a connection's client has said so many messages, and give them."""
        await until(lambda: len(self.heard) > place and len(self.heard[place]) >= count, f"hearing {count} messages")
        return self.heard[place]


def saying(*messages: Struct, binary: bool = False, code: int | None = None, stay: bool = False) -> Script:
    """Give a script that says messages.

    Args:
        binary: As msgpack.
        code: Of the close afterwards; None: 1000.
        stay: Do not close.
    """

    async def script(connection: ServerConnection) -> None:
        for message in messages:
            encode = msgspec.msgpack.encode if binary else msgspec.json.encode
            await connection.send(encode(message), text=not binary)
        if stay:
            await connection.wait_closed()
        if code is not None:
            await connection.close(code, "as the script says")

    return script


@contextlib.asynccontextmanager
async def scripted(*scripts: Script, refusals: int = 0) -> AsyncIterator[Scripted]:
    """Serve scripts.

    Args:
        refusals: So many handshakes are refused first, with 503.
    """
    gateway = Scripted(list(scripts))
    refused = 0

    def refuse(_connection: ServerConnection, _request: Request) -> Response | None:
        nonlocal refused
        refused += 1
        if refused > refusals:
            return None
        body = b'{"detail": "still reading"}'
        return Response(http.HTTPStatus.SERVICE_UNAVAILABLE, "", Headers({"Retry-After": "0"}), body)

    server: Server = await serve(gateway.follow, "127.0.0.1", 0, process_request=refuse, close_timeout=0.1)
    try:
        port = next(iter(server.sockets)).getsockname()[1]
        gateway.url = f"http://127.0.0.1:{port}"
        yield gateway
    finally:
        server.close()
        await server.wait_closed()
