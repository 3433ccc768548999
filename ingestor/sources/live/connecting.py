"""Streams: opened with pauses that grow, read with a time limit, closed whatever happens."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from ingestor.sources.live.attempts import attempts
from ingestor.sources.live.provider import LiveTick, ProviderAwayError, only_foreseen
from ingestor.sources.moments import Rejected

_log = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 60.0
#: A stream that breaks sooner makes the next pause longer.
_STEADY_SECONDS = 60.0
_MOST_DOUBLINGS = 10

#: What a provider's `ticks` gives.
Heard = list[LiveTick | Rejected]


class Stream:
    """A provider's stream of which the next piece is always being waited for.

    Args:
        first: What came with the subscription.

    Attributes:
        broke: It ended by itself.
    """

    def __init__(self, pieces: AsyncGenerator[Heard, None], first: Heard) -> None:
        self._pieces = pieces
        self._first = first
        self._next = asyncio.ensure_future(_piece(pieces))
        self.broke = False

    async def next_within(self, seconds: float) -> Heard:
        """Give the next piece; nothing where none comes in time.

        Raises:
            ProviderAwayError: The connection ended.
        """
        if self._first:
            first, self._first = self._first, []
            return first
        done, _ = await asyncio.wait({self._next}, timeout=seconds)
        if not done:
            return []
        try:
            heard = self._next.result()
        except StopAsyncIteration:
            self.broke = True
            raise ProviderAwayError("the connection was closed") from None
        except ProviderAwayError:
            self.broke = True
            raise
        self._next = asyncio.ensure_future(_piece(self._pieces))
        return heard

    async def close(self) -> None:
        """End it."""
        self._next.cancel()
        await asyncio.wait({self._next})
        await _close(self._pieces)


async def _piece(pieces: AsyncGenerator[Heard, None]) -> Heard:
    with only_foreseen():
        return await anext(pieces)


async def _close(pieces: AsyncGenerator[Heard, None]) -> None:
    try:
        await pieces.aclose()
    except Exception as error:  # it is given up, whatever its last word
        _log.debug("a stream ended with %s", type(error).__name__)


class Connecting:
    """Opens streams.

    Args:
        ticks: Gives a new one, of tickers.
        answer_seconds: How long a connection may take until its subscription holds.
        least_seconds: Between two connections; twice as long after each that soon broke, so that it is no storm.
        pause_seconds: After the first failure; each later pause is twice as long, all with jitter.
    """

    def __init__(
        self,
        ticks: Callable[[Sequence[str]], AsyncGenerator[Heard, None]],
        *,
        answer_seconds: float,
        least_seconds: float,
        pause_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ticks = ticks
        self._answer_seconds = answer_seconds
        self._least_seconds = least_seconds
        self._attempts = attempts(None, pause_seconds, _LONGEST_PAUSE_SECONDS)
        self._clock = clock
        self._sleep = sleep
        self._last = float("-inf")
        self._stream: Stream | None = None
        self._soon_broken = 0

    async def opened(self, tickers: Callable[[], Sequence[str]], failed: Callable[[Exception], None]) -> Stream:
        """Open a stream, however long that takes; who has it closes it.

        Args:
            tickers: Gives those of an attempt.
            failed: Is told of every attempt that fails.

        Raises:
            StopAndSayError: The provider refuses the key, or the plan.
        """
        stream: Stream = await self._attempts(ProviderAwayError, self._try, tickers, failed)
        return stream

    @asynccontextmanager
    async def open(self, tickers: Sequence[str], failed: Callable[[Exception], None]) -> AsyncIterator[Stream]:
        """Open a stream as `opened` does, and close it after use."""
        stream = await self.opened(lambda: tickers, failed)
        try:
            yield stream
        finally:
            await stream.close()

    async def _try(self, tickers: Callable[[], Sequence[str]], failed: Callable[[Exception], None]) -> Stream:
        await self._sleep(max(0.0, self._last + self._least_pause() - self._clock()))
        self._last = self._clock()
        try:
            self._stream = await self._subscribed(tickers())
            return self._stream
        except ProviderAwayError as error:
            failed(error)
            _log.warning("no connection yet: %s", error)
            raise

    def _least_pause(self) -> float:
        """Give the time from the beginning of the last attempt to the next one, with jitter once streams break."""
        if self._stream is not None and self._stream.broke:
            soon = self._clock() - self._last < _STEADY_SECONDS
            self._soon_broken = min(self._soon_broken + 1, _MOST_DOUBLINGS) if soon else 0
        self._stream = None
        if not self._soon_broken:
            return self._least_seconds
        grown = min(self._least_seconds * 2.0 ** (self._soon_broken - 1), _LONGEST_PAUSE_SECONDS)
        return max(self._least_seconds, grown * random.uniform(0.75, 1.0))

    async def _subscribed(self, tickers: Sequence[str]) -> Stream:
        pieces = self._ticks(tickers)
        try:
            async with asyncio.timeout(self._answer_seconds):
                first = await _piece(pieces)
        except (TimeoutError, StopAsyncIteration) as error:
            await _close(pieces)
            raise ProviderAwayError(f"no subscription within {self._answer_seconds:g} s") from error
        return Stream(pieces, first)
