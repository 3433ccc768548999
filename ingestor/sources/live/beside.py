"""A second provider beside the ones that are played: heard, compared, and never played."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager

import msgspec
from prometheus_client import REGISTRY, CollectorRegistry

from ingestor.sources.contents import tickers_text
from ingestor.sources.live.comparison import Comparison, Verdict
from ingestor.sources.live.connecting import Heard
from ingestor.sources.live.feed import Feed
from ingestor.sources.live.live_source import LiveSource
from ingestor.sources.live.options import LiveOptions
from ingestor.sources.live.provider import LiveTick, ProviderAwayError
from ingestor.sources.live.roster_desk import RosterDesk
from ingestor.sources.moments import Moment, Position, SourceHealth
from schemas import metrics
from schemas.errors import StopAndSayError
from schemas.events import Origin
from schemas.times import NS_PER_SECOND

_log = logging.getLogger(__name__)

#: Prices are held beside each other so often.
_LOOK_SECONDS = 1.0


class Beside:
    """Hears a provider and says where it disagrees with what is played. Its failures end that, and nothing else.

    Args:
        tickers: Gives those that are played.
        bound: Relative difference up to which prices agree.
    """

    def __init__(
        self,
        feed: Feed,
        tickers: Callable[[], Sequence[str]],
        bound: float,
        clock_ns: Callable[[], int] = time.time_ns,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._feed = feed
        self._tickers = tickers
        self._comparison = Comparison(bound)
        self._clock_ns = clock_ns
        self._looked_ns = 0
        self._greatest = metrics.SOURCE_DISAGREEMENT.gauge(registry).labels(feed.name)
        self._count = metrics.SOURCE_DISAGREEING.gauge(registry).labels(feed.name)
        self.note = ""

    def played(self, moment: Moment) -> None:
        """Note what is played."""
        if moment.origin is Origin.NORMAL:
            now_ns = self._clock_ns()
            for ticker, price in zip(moment.tickers, moment.prices, strict=True):
                self._comparison.played.heard(ticker, price, now_ns)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Compare until the block ends."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _run(self) -> None:
        try:
            while True:
                await self._listen()
        except StopAndSayError as error:
            self._end(str(error))
        except Exception as error:  # whatever its client raises: what is played must go on
            self._end(f"{type(error).__name__}: {error}")

    async def _listen(self) -> None:
        """Compare until the connection breaks, or other tickers are played."""
        feed, tickers = self._feed, self._tickers()
        if not tickers:
            await asyncio.sleep(_LOOK_SECONDS)
            return
        try:
            async with feed.connecting.open(tickers, lambda _: None) as stream:
                feed.hearing.connected(self._clock_ns())
                while tickers == self._tickers():
                    self._take(await stream.next_within(_LOOK_SECONDS))
        except ProviderAwayError as error:
            _log.info("nothing to compare with for now: %s", error)
        finally:
            self._comparison.beside.forget()
            self._say(self._comparison.judge(self._clock_ns()))

    def _take(self, heard: Heard) -> None:
        now_ns, hearing = self._clock_ns(), self._feed.hearing
        ticks = [tick for tick in heard if isinstance(tick, LiveTick)]
        if ticks:
            hearing.heard(max(tick.time_ns for tick in ticks), now_ns)
        elif hearing.is_mute(now_ns):
            raise ProviderAwayError(f"{self._feed.name} is mute")
        for tick in ticks:
            self._comparison.beside.heard(tick.ticker, tick.price, now_ns)
        if now_ns - self._looked_ns >= _LOOK_SECONDS * NS_PER_SECOND:
            self._looked_ns = now_ns
            self._say(self._comparison.judge(now_ns))

    def _say(self, verdict: Verdict) -> None:
        name = self._feed.name
        self._greatest.set(verdict.greatest)
        self._count.set(len(verdict.disagree))
        for ticker, difference in verdict.began.items():
            _log.warning("%s says another price of %s, by %.2f %%", name, ticker, 100 * difference)
        for ticker in verdict.ended:
            _log.info("%s no longer says another price of %s", name, ticker)
        self.note = f"{name} says other prices of {tickers_text(verdict.disagree)}" if verdict.disagree else ""

    def _end(self, reason: str) -> None:
        _log.warning("prices are not compared with those of %s any more: %s", self._feed.name, reason)
        self.note = f"not compared with {self._feed.name}: {reason}"


class ComparedSource(LiveSource):
    """A live source beside which another provider is heard; arguments as of `LiveSource`."""

    def __init__(
        self,
        beside: Beside,
        feeds: Sequence[Feed],
        desk: RosterDesk,
        options: LiveOptions,
        clock_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(feeds, desk, options, clock_ns, sleep)
        self._beside = beside

    async def ticks(
        self, after: Position | None, last_prices: dict[str, float], places: Collection[Position] = ()
    ) -> AsyncIterator[Moment]:
        """Play as without it."""
        async with self._beside.running():
            async for moment in super().ticks(after, last_prices, places):
                self._beside.played(moment)
                yield moment

    def health(self) -> SourceHealth:
        """Say how it is, and where the other one says otherwise."""
        return msgspec.structs.replace(super().health(), note=self._beside.note)
