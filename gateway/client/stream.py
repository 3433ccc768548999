"""One stream: a WebSocket that is opened again for as long as it takes. What it decides is in `session`."""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Generic, Self, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from gateway.client.errors import ProtocolError, RefusedError
from gateway.client.events import Disconnected, Event, Gap, Update, updates_of
from gateway.client.rest import problem_of, retry_after_seconds
from gateway.client.session import Session
from gateway.client.wire import reader, write
from schemas.sockets import ClientMessage, ErrorMessage

#: A snapshot of 100 tickers with many members is still far below.
MAXIMUM_MESSAGE_BYTES = 16 * 1024 * 1024
GOODBYE_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Stream(Generic[Update]):
    """Updates as they come. Iterate over it, or over its `events()`; one task at a time.

    It connects when first asked for something, comes back after every failure that passes, asks again for its tickers
    and goes on where it was. Nothing is read ahead: whoever takes long is a slow client to the gateway, and gets the
    newest.
    """

    def __init__(self, url: str, path: str, session: Session, connect_seconds: float) -> None:
        self._address = url.replace("http", "ws", 1) + path
        self._session = session
        self._connect_seconds = connect_seconds
        self._read = reader(path)
        self._connection: ClientConnection | None = None
        self._connected_at = 0.0
        self._delay_seconds = 0.0
        self._closed = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncGenerator[Update, None]:
        """Give predictions or bars, those of snapshots too; gaps are logged.

        Raises:
            RefusedError: The gateway does not want this stream, or refused its tickers.
            ProtocolError: The gateway is of another version.
        """
        while batch := await self.next_updates():
            for update in batch:
                yield update

    async def events(self) -> AsyncGenerator[Event, None]:
        """Give everything that happens: updates, snapshots, gaps, errors, connections made and lost.

        Raises:
            RefusedError: The gateway does not want this stream.
            ProtocolError: The gateway is of another version.
        """
        while batch := await self.next_events():
            for event in batch:
                yield event

    async def next_updates(self) -> list[Update]:
        """Wait for updates and give them, at least one; none once the stream is closed."""
        while events := await self.next_events():
            for event in events:
                await self._mind(event)
            if updates := cast("list[Update]", list(updates_of(events))):
                return updates
        return []

    async def next_events(self) -> Sequence[Event]:
        """Wait for something to happen and give it; none once the stream is closed."""
        events: Sequence[Event] = ()
        try:
            while not events and not self._closed.is_set():
                events = await (self._connect() if self._connection is None else self._hear(self._connection))
        except (RefusedError, ProtocolError):
            await self.close()
            raise
        return events

    async def subscribe(self, tickers: Iterable[str]) -> None:
        """Ask for these tickers too; `["*"]` is all of them.

        Raises:
            ValueError: One is no symbol.
        """
        await self._say(self._session.subscribe(tickers))

    async def unsubscribe(self, tickers: Iterable[str]) -> None:
        """Ask for these tickers no longer; `["*"]` is all of them.

        Raises:
            ValueError: One is no symbol, or the stream gets all tickers and these are names.
        """
        await self._say(self._session.unsubscribe(tickers))

    @property
    def closed(self) -> bool:
        """Tell whether it has ended."""
        return self._closed.is_set()

    async def close(self) -> None:
        """End the stream; whoever waits in it gets no more."""
        self._closed.set()
        if self._connection is not None:
            await self._connection.close()

    async def _connect(self) -> Sequence[Event]:
        with suppress(TimeoutError):  # the usual end of a wait
            await asyncio.wait_for(self._closed.wait(), self._delay_seconds)
            return ()
        try:
            self._connection = await connect(
                self._address,
                open_timeout=self._connect_seconds,
                close_timeout=GOODBYE_SECONDS,
                ping_interval=None,  # the heartbeat tells
                max_size=MAXIMUM_MESSAGE_BYTES,
            )
        except InvalidStatus as refused:
            response = refused.response
            told_seconds = retry_after_seconds(response.headers)
            reason = problem_of(bytes(response.body or b"")).get("detail", response.reason_phrase)
            return self._again(self._session.reconnection.after_refusal(response.status_code, reason, told_seconds))
        except ssl.SSLCertVerificationError as error:
            raise RefusedError(0, _text(error)) from error
        except (OSError, TimeoutError, EOFError, InvalidHandshake) as error:
            return self._again(self._session.reconnection.after_close(None, _text(error), 0.0))
        self._connected_at = time.monotonic()
        if self._closed.is_set():  # while the handshake was on its way
            await self._connection.close()
        return ()

    async def _hear(self, connection: ClientConnection) -> Sequence[Event]:
        try:
            async with asyncio.timeout(self._session.patience_seconds):
                data = await connection.recv()
        except TimeoutError:
            connection.transport.abort()
            return self._lost(None, f"the gateway said nothing for {self._session.patience_seconds:g} s")
        except ConnectionClosed as closed:
            return self._lost(*((closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (None, _text(closed))))
        message = self._read(data)
        if message is None:
            return ()
        step = self._session.hear(message)
        await self._say(step.messages)
        return step.events

    async def _mind(self, event: Event) -> None:
        match event:
            case Gap() | Disconnected():
                _log.warning("%s", event)
            case ErrorMessage(code="auth_expired"):  # a close follows, and a connection with a new token
                _log.warning("%s", event)
            case ErrorMessage():
                await self.close()
                raise RefusedError(0, f"{event.code}: {event.message}")
            case _:
                pass

    async def _say(self, messages: Iterable[ClientMessage]) -> None:
        if self._connection is not None:
            with suppress(ConnectionClosed):  # the next reading notices, and the next greeting asks again
                for message in messages:
                    await self._connection.send(write(message))

    def _lost(self, code: int | None, reason: str) -> Sequence[Event]:
        self._connection = None
        self._session.lost()
        if self._closed.is_set():
            return ()
        lasted_seconds = time.monotonic() - self._connected_at
        return self._again(self._session.reconnection.after_close(code, reason, lasted_seconds))

    def _again(self, disconnected: Disconnected) -> Sequence[Event]:
        self._delay_seconds = disconnected.retry_after_seconds
        return (disconnected,)


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
