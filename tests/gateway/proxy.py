"""A broker that can go away and come back: a proxy in front of a real one, which its answers name as the broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.processes import free_port

_HOST = b"127.0.0.1"


class Proxy:
    """Forwards to a broker on this machine; in answers, the broker's port becomes the proxy's."""

    def __init__(self, broker_address: str) -> None:
        self._broker_port = int(broker_address.rpartition(":")[2])
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def address(self) -> str:
        """Give the address that clients use."""
        return f"127.0.0.1:{self.port}"

    async def come(self) -> None:
        """Listen, on the same port as before."""
        self.port = self.port or free_port()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def go(self) -> None:
        """Refuse connections, and cut those that are open."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._broker_port)
        self._writers |= {client_writer, broker_writer}
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._requests(client_reader, broker_writer))
                tasks.create_task(self._answers(broker_reader, client_writer))
        for writer in (client_writer, broker_writer):
            self._writers.discard(writer)
            writer.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.transport.abort()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = (_HOST + port.to_bytes(4, "big") for port in (self._broker_port, self.port))
        while True:
            length = await reader.readexactly(4)
            answer = await reader.readexactly(int.from_bytes(length, "big"))
            writer.write(length + answer.replace(theirs, ours))
            await writer.drain()


@contextlib.asynccontextmanager
async def proxy_to(broker_address: str) -> AsyncIterator[Proxy]:
    """Stand in front of a broker."""
    proxy = Proxy(broker_address)
    await proxy.come()
    try:
        yield proxy
    finally:
        await proxy.go()
