"""uvicorn, set up for many WebSocket clients, and stopped within two seconds."""

import asyncio
import contextlib
import ipaddress
import signal
import socket
import time
from collections.abc import Iterator
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from gateway.condition import Condition
from gateway.hub import Hub
from gateway.protocols import HttpProtocol, SocketProtocol
from gateway.settings import GatewaySettings
from schemas.errors import StopAndSayError

#: Of each client's socket in the kernel; without it a client that never reads takes 4 MB before anybody notices.
SEND_BUFFER_BYTES = 65_536
#: A client that acknowledges nothing for so long is gone.
CLOSED_WINDOW_MS = 60_000
GOODBYE_SECONDS = 0.5
#: A connection without a request stays open for so long: longer than proxies and clients keep theirs (60 s and less),
#: or one would send its next request into a connection that is just being closed, and get no answer.
KEEP_ALIVE_SECONDS = 75
#: Of a tenth of a second: every client is looked at so often.
SWEEP_EVERY_TICKS = 3
_LISTEN_BACKLOG = 2_048


def _refuse_to_be_open(settings: GatewaySettings, address: str) -> None:
    """Keep what asks nobody for a key on this machine."""
    local = ipaddress.ip_address(address.partition("%")[0]).is_loopback
    if local or settings.auth_required or settings.open_without_auth:
        return
    raise StopAndSayError(
        f"{address} can be reached from elsewhere, and nobody would be asked for a key: "
        "set TICKCAST_AUTH_REQUIRED=true, or TICKCAST_OPEN_WITHOUT_AUTH=true if that is wanted"
    )


def bind(settings: GatewaySettings) -> socket.socket:
    """Open the listening socket.

    Raises:
        StopAndSayError: The port is taken, the host is none of this machine, or others would come in unasked.
    """
    host, port = settings.gateway_host, settings.gateway_port
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        _refuse_to_be_open(settings, str(address[0]))
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # ends what a closed window would keep open for ever
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, CLOSED_WINDOW_MS)
        listener.bind(address)
        listener.listen(_LISTEN_BACKLOG)
    except OSError as error:
        raise StopAndSayError(
            f"cannot listen on {host}:{port} ({error.strerror or error}): "
            "stop what uses it, or set TICKCAST_GATEWAY_HOST or TICKCAST_GATEWAY_PORT"
        ) from error
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket, *, https: bool = False) -> str:
    """Give the address that people use."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"{'https' if https else 'http'}://{shown}:{port}"


def server_config(app: ASGIApp, settings: GatewaySettings) -> uvicorn.Config:
    """Give uvicorn's configuration. Pings find clients that are gone; those that never read are found by what waits."""
    http = partial(HttpProtocol, maximum_connections=settings.maximum_connections)
    return uvicorn.Config(
        app,
        http=cast("type[HttpProtocol]", http),  # uvicorn only calls it
        ws=SocketProtocol,
        ws_per_message_deflate=settings.websocket_compression,
        ws_max_size=16 * settings.maximum_message_bytes,  # up to here an error message, beyond it the end
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        lifespan="off",
        proxy_headers=False,  # uvicorn would believe X-Forwarded-For of anybody on this machine
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ssl_context_factory=(lambda *_: settings.tls()) if settings.uses_tls else None,
    )


class GatewayServer(uvicorn.Server):
    """Looks after WebSocket clients, and says goodbye to them with code 1001 before it stops."""

    def __init__(
        self,
        config: uvicorn.Config,
        hub: Hub,
        settings: GatewaySettings,
        condition: Condition | None = None,
        *,
        heeds_signals: bool = True,
    ) -> None:
        super().__init__(config)
        self._heeds_signals = heeds_signals
        self._condition = condition or Condition()
        self._hub = hub
        self._settings = settings

    async def on_tick(self, counter: int) -> bool:
        """Look after the clients; this is called ten times a second."""
        self._hub.release(time.monotonic())
        if counter % SWEEP_EVERY_TICKS == 0:
            self._hub.sweep(
                time.monotonic(),
                heartbeat_s=self._settings.heartbeat_seconds,
                conflate_after_s=self._settings.client_conflate_seconds,
                close_after_s=float(self._settings.client_stall_seconds),
            )
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop in order on SIGTERM and SIGINT, unless somebody else does; uvicorn would raise them again afterwards."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT) if self._heeds_signals else ():
            with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread, as in tests
                loop.add_signal_handler(number, self.drain)
        yield

    def drain(self) -> None:
        """Say that no further requests are welcome, serve those that come for a while, then stop; twice: stop."""
        if self._condition.draining:
            self.stop()
            return
        self._condition.draining = True
        asyncio.get_running_loop().call_later(self._settings.drain_seconds, self.stop)

    def stop(self) -> None:
        """Begin to stop."""
        self._condition.draining = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the conversations, then everything else."""
        self._hub.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                while len(self._hub):
                    await asyncio.sleep(0.02)
        for connection in list(self.server_state.connections):
            if _never_reads(connection):
                connection.transport.abort()
        await super().shutdown(sockets)


def _never_reads(connection: object) -> bool:
    if isinstance(connection, SocketProtocol):
        return connection.stalled
    return isinstance(connection, HttpProtocol) and connection.flow.write_paused
