"""uvicorn, set up for many WebSocket clients, and stopped within two seconds."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from gateway.hub import Hub
from gateway.protocols import HttpProtocol, SocketProtocol
from gateway.settings import GatewaySettings
from schemas.errors import StopAndSayError

#: Of each client's socket in the kernel; without it a client that never reads takes 4 MB before anybody notices.
SEND_BUFFER_BYTES = 65_536
GOODBYE_SECONDS = 0.5
_LISTEN_BACKLOG = 2_048


def bind(settings: GatewaySettings) -> socket.socket:
    """Open the listening socket.

    Raises:
        StopAndSayError: The port is taken, or the host is none of this machine.
    """
    host, port = settings.gateway_host, settings.gateway_port
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # ends what a closed window would keep open for ever
            stall_ms = settings.client_stall_seconds * 1_000
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, stall_ms)
        listener.bind(address)
        listener.listen(_LISTEN_BACKLOG)
    except OSError as error:
        raise StopAndSayError(
            f"cannot listen on {host}:{port} ({error.strerror or error}): "
            "stop what uses it, or set TICKCAST_GATEWAY_HOST or TICKCAST_GATEWAY_PORT"
        ) from error
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket) -> str:
    """Give the address that people use."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def server_config(app: ASGIApp, settings: GatewaySettings) -> uvicorn.Config:
    """Give uvicorn's configuration. Pings find clients that are gone, TCP's timeout those that never read."""
    return uvicorn.Config(
        app,
        http=HttpProtocol,
        ws=SocketProtocol,
        ws_per_message_deflate=False,
        ws_max_size=16 * settings.maximum_message_bytes,  # up to here an error message, beyond it the end
        ws_ping_interval=20.0,
        ws_ping_timeout=float(settings.client_stall_seconds),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


class GatewayServer(uvicorn.Server):
    """Says goodbye to WebSocket clients with code 1001 before it stops."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop in order on SIGTERM and SIGINT; uvicorn would raise them again afterwards."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread, as in tests
                loop.add_signal_handler(number, self.stop)
        yield

    def stop(self) -> None:
        """Begin to stop."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the conversations, then everything else."""
        self._hub.close()
        with contextlib.suppress(TimeoutError):  # those that never read are cut off
            async with asyncio.timeout(GOODBYE_SECONDS):
                while len(self._hub):
                    await asyncio.sleep(0.02)
        for connection in list(self.server_state.connections):
            if self._never_reads(connection):
                connection.transport.abort()
        await super().shutdown(sockets)

    def _never_reads(self, connection: object) -> bool:
        if isinstance(connection, SocketProtocol):
            return len(self._hub) > 0
        return isinstance(connection, HttpProtocol) and connection.flow.write_paused
