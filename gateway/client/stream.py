"""One stream: a WebSocket that is opened again for as long as it takes. What it decides is in `session`."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Generic, Self, cast

from gateway.client.errors import ProtocolError, RefusedError
from gateway.client.events import Disconnected, Event, Gap, Update, updates_of
from gateway.client.line import Line, LostError, TurnedAwayError, open_line
from gateway.client.session import Session
from gateway.client.wire import reader
from schemas.sockets import ClientMessage, ErrorMessage

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
        self._line: Line | None = None
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
                events = await (self._connect() if self._line is None else self._hear(self._line))
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
        if self._line is not None:
            await self._line.close()

    async def _connect(self) -> Sequence[Event]:
        with suppress(TimeoutError):  # the usual end of a wait
            await asyncio.wait_for(self._closed.wait(), self._delay_seconds)
            return ()
        try:
            self._line = await open_line(self._address, self._connect_seconds)
        except TurnedAwayError as refused:
            return self._again(
                self._session.reconnection.after_refusal(refused.status, refused.reason, refused.retry_after_seconds)
            )
        except LostError as lost:
            return self._again(self._session.reconnection.after_close(lost.code, lost.reason, 0.0))
        if self._closed.is_set():  # while the handshake was on its way
            await self._line.close()
        return ()

    async def _hear(self, line: Line) -> Sequence[Event]:
        try:
            message = self._read(await line.hear(self._session.patience_seconds))
        except LostError as lost:
            return self._lost(lost, line.stood_seconds)
        if message is None:
            return ()
        step = self._session.hear(message)
        await line.say(step.messages)
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
        if self._line is not None:
            await self._line.say(messages)

    def _lost(self, lost: LostError, stood_seconds: float) -> Sequence[Event]:
        self._line = None
        self._session.lost()
        if self._closed.is_set():
            return ()
        return self._again(self._session.reconnection.after_close(lost.code, lost.reason, stood_seconds))

    def _again(self, disconnected: Disconnected) -> Sequence[Event]:
        self._delay_seconds = disconnected.retry_after_seconds
        return (disconnected,)
