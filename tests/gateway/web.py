"""The gateway's web side, with and without a socket."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from gateway.app import build_app
from gateway.parts import Parts
from gateway.server import GatewayServer, bind, server_config, url_of
from tests.gateway.contract import read_message

DEADLINE_SECONDS = 60.0


def client_of(parts: Parts, base_url: str = "http://localhost:8000") -> httpx.AsyncClient:
    """Give a client of the application, without a server between."""
    transport = httpx.ASGITransport(app=build_app(parts), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=base_url)


@dataclass(frozen=True)
class Running:
    """A real server on a free port, in this event loop."""

    server: GatewayServer
    url: str
    task: "asyncio.Task[None]"

    @property
    def socket_url(self) -> str:
        """Give the address of the WebSocket of predictions."""
        return self.url.replace("http", "ws", 1) + "/ws/predictions"

    @property
    def bars_url(self) -> str:
        """Give the address of the WebSocket of bars."""
        return self.url.replace("http", "ws", 1) + "/ws/bars"


@contextlib.asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[Running]:
    """Serve parts with uvicorn as the service does."""
    listener = bind(parts.settings)
    server = GatewayServer(server_config(build_app(parts), parts.settings), parts.hub, parts.settings, parts.condition)
    task = asyncio.create_task(server.serve([listener]))
    try:
        yield Running(server, url_of(listener, https=parts.settings.uses_tls), task)
    finally:
        server.stop()
        await asyncio.wait_for(task, DEADLINE_SECONDS)
        listener.close()


class Client:
    """A WebSocket client that waits with a deadline."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.connection.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        """Receive the next message."""
        return read_message(await asyncio.wait_for(self.connection.recv(), DEADLINE_SECONDS))

    async def hear_kind(self, kind: str) -> dict[str, Any]:
        """Receive the next message, which is of this type."""
        message = await self.hear()
        assert message["type"] == kind, message
        return message


@contextlib.asynccontextmanager
async def talking(server: Running, url: str | None = None, **options: Any) -> AsyncIterator[Client]:
    """Connect, and take the welcome; without a URL, to the predictions."""
    async with connect(url or server.socket_url, **({"compression": None} | options)) as connection:
        client = Client(connection)
        await client.hear_kind("welcome")
        yield client


async def until(holds: Any, what: str) -> None:
    """Wait for a condition, with a deadline."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not holds():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"{what} did not happen within {DEADLINE_SECONDS:g} s") from None
