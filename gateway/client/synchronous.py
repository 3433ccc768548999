"""The same client for programs without an event loop of their own: the loop runs in a thread."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from gateway.client.asynchronous import Client, connect
from gateway.client.events import BarUpdate, Event, Update
from gateway.client.health import Health
from gateway.client.stream import Stream
from schemas.public import PastBar, PublicPrediction
from schemas.sockets import MessageFormat, StreamedPrediction

Result = TypeVar("Result")


class LoopThread:
    """An event loop in a thread, so that the client works in notebooks too, whose own loop already runs."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tickcast-client", daemon=True)
        self._thread.start()

    def wait_for(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do work there and give its result; an interrupt here (Ctrl-C) cancels it there."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()

    def stop(self) -> None:
        """End the loop and the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class SyncStream(Generic[Update]):
    """A `Stream` without `await`; iterating waits."""

    def __init__(self, stream: Stream[Update], thread: LoopThread) -> None:
        self._stream: Stream[Update] = stream
        self._thread = thread

    def __iter__(self) -> Iterator[Update]:
        while batch := self._thread.wait_for(self._stream.next_updates()):
            yield from batch

    def events(self) -> Iterator[Event]:
        """Give everything that happens; see `Stream.events`."""
        while batch := self._thread.wait_for(self._stream.next_events()):
            yield from batch

    def subscribe(self, tickers: Iterable[str]) -> None:
        """Ask for these tickers too."""
        self._thread.wait_for(self._stream.subscribe(tickers))

    def unsubscribe(self, tickers: Iterable[str]) -> None:
        """Ask for these tickers no longer."""
        self._thread.wait_for(self._stream.unsubscribe(tickers))

    def close(self) -> None:
        """End the stream; who waits in it gets no more. Any thread may call this."""
        self._thread.wait_for(self._stream.close())


class SyncClient:
    """A `Client` without `await`; use it as `with connect_sync(…) as client`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._thread = LoopThread()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all streams, close all connections, and end the thread."""
        self._thread.wait_for(self._client.close())
        self._thread.stop()

    def prediction(self, ticker: str, *, horizon: int | None = None) -> PublicPrediction:
        """Give the latest prediction of a ticker; see `Client.prediction`."""
        return self._thread.wait_for(self._client.prediction(ticker, horizon=horizon))

    def latest(self) -> list[PublicPrediction]:
        """Give the latest prediction of every ticker; see `Client.latest`."""
        return self._thread.wait_for(self._client.latest())

    def past_bars(self, ticker: str, *, limit: int = 100) -> list[PastBar]:
        """Give the last closed bars of a ticker; see `Client.past_bars`."""
        return self._thread.wait_for(self._client.past_bars(ticker, limit=limit))

    def health(self) -> Health:
        """Give the state of the gateway; see `Client.health`."""
        return self._thread.wait_for(self._client.health())

    def predictions(
        self,
        tickers: Iterable[str],
        *,
        max_rate: float | None = None,
        min_confidence: float | None = None,
        final_only: bool = False,
        format: MessageFormat = "json",  # noqa: A002 - as the protocol calls it
    ) -> SyncStream[StreamedPrediction]:
        """Open a stream of predictions; see `Client.predictions`."""
        stream = self._client.predictions(
            tickers, max_rate=max_rate, min_confidence=min_confidence, final_only=final_only, format=format
        )
        return SyncStream(stream, self._thread)

    def bars(
        self,
        tickers: Iterable[str],
        *,
        max_rate: float | None = None,
        final_only: bool = False,
        format: MessageFormat = "json",  # noqa: A002 - as the protocol calls it
    ) -> SyncStream[BarUpdate]:
        """Open a stream of bars; see `Client.bars`."""
        stream = self._client.bars(tickers, max_rate=max_rate, final_only=final_only, format=format)
        return SyncStream(stream, self._thread)


def connect_sync(
    url: str,
    *,
    api_key: str | None = None,
    token: Callable[[], str] | None = None,
    timeout_seconds: float = 10.0,
    longest_wait_seconds: float = 30.0,
) -> SyncClient:
    """Give a client without `await`; see `connect`.

    Raises:
        ValueError: The address is none.
    """
    client = connect(
        url,
        api_key=api_key,
        token=token,
        timeout_seconds=timeout_seconds,
        longest_wait_seconds=longest_wait_seconds,
    )
    return SyncClient(client)
