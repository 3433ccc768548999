"""Trading of a fake Alpaca, played into a broker faster than it happens, by the parts of the ingestor's own process."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from confluent_kafka import Producer
from prometheus_client import CollectorRegistry

from ingestor.figures import Figures
from ingestor.producer import producer_config
from ingestor.publisher import Publisher
from ingestor.service import make_player
from ingestor.settings import IngestorSettings
from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.sessions import load_sessions
from ingestor.start import read_start
from tests.ingestor.live_play import MINUTE_NS, LivePlay, MovedClock
from tests.ingestor.providers.alpaca import FakeAlpaca
from tests.ingestor.providers.fake import until

TICKERS = ("AAPL", "MSFT")
#: A bar is sent so long after its end.
_SENT_AFTER_NS = 200_000_000
_LOOK_SECONDS = 0.02


class FastClock(MovedClock):
    """Runs so many times as fast as the wall clock; at 0 it stands."""

    def __init__(self, begin_ns: int, speed: float) -> None:
        self._begin_ns, self._since_ns, self._speed = begin_ns, time.monotonic_ns(), speed

    def __call__(self) -> int:
        return self._begin_ns + int((time.monotonic_ns() - self._since_ns) * self._speed)

    def run_at(self, speed: float) -> None:
        self._begin_ns, self._since_ns, self._speed = self(), time.monotonic_ns(), speed

    def jump(self, seconds: float) -> None:
        self._begin_ns += int(seconds * 1e9)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


class FastDay:
    """What is traded, and how the source that plays it fares.

    Attributes:
        troubles: All that its health complained of since it was connected.
        sent_at_ns: Wall clock, by the start of a bar.
    """

    def __init__(self, fake: FakeAlpaca, folder: Path, clock: FastClock, *, warm_up_bars: int, mute_seconds: float):
        self.fake, self.clock = fake, clock
        self.play = LivePlay(
            fake,
            folder,
            warm_up_bars=warm_up_bars,
            clock=clock,
            sessions=load_sessions("XNYS", clock()),
            mute_seconds=mute_seconds,
        )
        self.troubles: set[str] = set()
        self.sent_at_ns: dict[int, int] = {}
        self._prices = _walks(seed=7)

    def happened(self, first_ns: int, minutes: int) -> None:
        """Put bars into history."""
        for start_ns in range(first_ns, first_ns + minutes * MINUTE_NS, MINUTE_NS):
            for bar in next(self._prices):
                self.fake.history.setdefault(bar.ticker, {})[start_ns] = bar

    async def trade(self, first_ns: int, minutes: int) -> None:
        """Send bars, each right after its end."""
        for start_ns in range(first_ns, first_ns + minutes * MINUTE_NS, MINUTE_NS):
            await self.pass_until(start_ns + MINUTE_NS + _SENT_AFTER_NS)
            self.sent_at_ns[start_ns] = time.time_ns()
            for bar in next(self._prices):
                self.fake.history[bar.ticker][start_ns] = bar
                await self.fake.send_bar(bar, start_ns)

    async def pass_until(self, time_ns: int) -> None:
        """Wait until the clock has come to a time."""
        while (left_ns := time_ns - self.clock()) > 0:
            await self.clock.sleep(left_ns / 1e9)

    @asynccontextmanager
    async def ingested(self, settings: IngestorSettings) -> AsyncIterator[None]:
        """Play it into the broker, as long as the block lasts."""
        async with ingested(self.play, settings, self._look):
            yield

    def _look(self) -> None:
        trouble = self.play.source.health().trouble
        if trouble is not None and self.play.source.health().last_tick_ns is not None:
            self.troubles.add(trouble)


@asynccontextmanager
async def ingested(play: LivePlay, settings: IngestorSettings, look: Callable[[], None]) -> AsyncIterator[None]:
    """Play a source into the broker, as long as the block lasts.

    Args:
        look: Is called all the while.
    """
    source, figures = play.source, Figures(settings.name, CollectorRegistry())
    start = await asyncio.to_thread(read_start, settings, source)
    publisher = Publisher(Producer(producer_config(settings)), settings.topic_prefix, figures)
    player = make_player(settings, source, start, publisher, figures, play.clock)
    played = (player.play(source, start.last_prices, start.places), player.send_what_lingers())
    jobs = [asyncio.create_task(job) for job in (*played, _watch(publisher, look))]
    try:
        await until(lambda: play.fake.connections > 0, what="a connection")
        yield
        assert not [job.exception() for job in jobs if job.done()]
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        await player.finish()


async def _watch(publisher: Publisher, look: Callable[[], None]) -> None:
    while True:
        publisher.poll()
        look()
        await asyncio.sleep(_LOOK_SECONDS)


@asynccontextmanager
async def fast_day(folder: Path, begin_ns: int, *, warm_up_bars: int, mute_seconds: float) -> AsyncIterator[FastDay]:
    """Give a day on which nothing has happened yet, and time runs as it does outside."""
    fake = FakeAlpaca("bars")
    fake.page_bars = 10_000
    async with fake.running():
        yield FastDay(fake, folder, FastClock(begin_ns, 1.0), warm_up_bars=warm_up_bars, mute_seconds=mute_seconds)


def _walks(seed: int) -> Iterator[list[PlayedBar]]:
    """Give the next bar of all tickers, for ever."""
    draw, closes = random.Random(seed), dict.fromkeys(TICKERS, 100.0)
    while True:
        bars = []
        for ticker, first in closes.items():
            prices = [first, *(first * (1 + draw.gauss(0, 0.001)) for _ in range(3))]
            bars.append(PlayedBar(ticker, prices[0], max(prices), min(prices), prices[-1], 100.0))
            closes[ticker] = prices[-1]
        yield bars
