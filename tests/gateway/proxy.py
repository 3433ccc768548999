"""A network that can fail: a proxy in front of a server on this machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.processes import free_port

_HOST = b"127.0.0.1"


class Proxy:
    """Forwards to a server on this machine.

    Attributes:
        port: Where clients connect.
        server_port: Where new connections lead; a test may change it.
    """

    def __init__(self, server_port: int) -> None:
        self.server_port = server_port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
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
        self.cut()

    def cut(self) -> None:
        """Cut all connections that are open; new ones are let in."""
        for writer in list(self._writers):
            writer.transport.abort()

    def freeze(self) -> None:
        """Forward nothing more, and say nothing of it: a cable that was pulled out."""
        self._flows.clear()

    def thaw(self) -> None:
        """Forward again, what was held back first."""
        self._flows.set()

    async def _serve(self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.server_port)
        except OSError:  # the server is down
            client_writer.transport.abort()
            return
        self._writers |= {client_writer, server_writer}
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._requests(client_reader, server_writer))
                tasks.create_task(self._answers(server_reader, client_writer))
        for writer in (client_writer, server_writer):
            self._writers.discard(writer)
            writer.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self._forward(data, writer)
        writer.transport.abort()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._requests(reader, writer)

    async def _forward(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        writer.write(data)
        await writer.drain()


class BrokerProxy(Proxy):
    """In front of a broker, whose answers name it: there, the broker's port becomes the proxy's."""

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = (_HOST + port.to_bytes(4, "big") for port in (self.server_port, self.port))
        while True:
            length = await reader.readexactly(4)
            answer = await reader.readexactly(int.from_bytes(length, "big"))
            await self._forward(length + answer.replace(theirs, ours), writer)


@contextlib.asynccontextmanager
async def standing(proxy: Proxy) -> AsyncIterator[Proxy]:
    """Let a proxy forward until the end."""
    await proxy.come()
    try:
        yield proxy
    finally:
        proxy.thaw()
        await proxy.go()


def proxy_to(broker_address: str) -> contextlib.AbstractAsyncContextManager[Proxy]:
    """Stand in front of a broker."""
    return standing(BrokerProxy(int(broker_address.rpartition(":")[2])))
