"""One WebSocket connection, and what its failures mean."""

import asyncio
import ssl
import time
from collections.abc import Iterable
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from gateway.client.errors import RefusedError
from gateway.client.rest import problem_of, retry_after_seconds
from gateway.client.wire import write
from schemas.sockets import ClientMessage

#: A snapshot of 100 tickers with many members is still far below.
MAXIMUM_MESSAGE_BYTES = 16 * 1024 * 1024
GOODBYE_SECONDS = 1.0


class LostError(Exception):
    """The connection ended, or could not be made.

    Attributes:
        code: Of the close; None where the network failed.
    """

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class TurnedAwayError(Exception):
    """The gateway refused the handshake."""

    def __init__(self, status: int, reason: str, retry_after_seconds: float | None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class Line:
    """A connection that stands."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._stands_since = time.monotonic()

    @property
    def stood_seconds(self) -> float:
        """Give for how long it has stood."""
        return time.monotonic() - self._stands_since

    async def hear(self, patience_seconds: float) -> str | bytes:
        """Wait for the next message.

        Raises:
            LostError: The connection ended, or was given up because nothing came for so long.
        """
        try:
            async with asyncio.timeout(patience_seconds):
                return await self._connection.recv()
        except TimeoutError:
            self._connection.transport.abort()
            raise LostError(None, f"the gateway said nothing for {patience_seconds:g} s") from None
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                raise LostError(None, _text(closed)) from closed
            raise LostError(closed.rcvd.code, closed.rcvd.reason) from closed

    async def say(self, messages: Iterable[ClientMessage]) -> None:
        """Send messages; where the connection has ended, hearing tells."""
        with suppress(ConnectionClosed):
            for message in messages:
                await self._connection.send(write(message))

    async def close(self) -> None:
        """End it in order, or after a second without."""
        await self._connection.close()


async def open_line(address: str, timeout_seconds: float) -> Line:
    """Connect.

    Raises:
        LostError: The network failed.
        TurnedAwayError: The gateway refused the handshake.
        RefusedError: Its certificate is not to be trusted.
    """
    try:
        connection = await connect(
            address,
            open_timeout=timeout_seconds,
            close_timeout=GOODBYE_SECONDS,
            ping_interval=None,  # the heartbeat tells
            max_size=MAXIMUM_MESSAGE_BYTES,
        )
    except InvalidStatus as refused:
        response = refused.response
        reason = problem_of(bytes(response.body or b"")).get("detail", response.reason_phrase)
        raise TurnedAwayError(response.status_code, reason, retry_after_seconds(response.headers)) from refused
    except ssl.SSLCertVerificationError as error:
        raise RefusedError(0, _text(error)) from error
    except (OSError, TimeoutError, EOFError, InvalidHandshake) as error:
        raise LostError(None, _text(error)) from error
    return Line(connection)


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
