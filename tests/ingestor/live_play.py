"""A live source played in a test, on a clock that the test moves."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from prometheus_client import CollectorRegistry

from ingestor.sources.live.budget import Budget
from ingestor.sources.live.calls import Calls
from ingestor.sources.live.connecting import Connecting
from ingestor.sources.live.feed import Feed
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.hearing import Hearing
from ingestor.sources.live.live_source import LiveSource
from ingestor.sources.live.options import LiveOptions
from ingestor.sources.live.provider import Limits, Provider
from ingestor.sources.live.roster_desk import RosterDesk
from ingestor.sources.live.sessions import Session, Sessions
from ingestor.sources.moments import Moment, Position
from schemas.events import Tick
from schemas.times import Interval, from_rfc3339, interval_ns
from tests.ingestor.fold import BarsByTicker, fold, ticks_of
from tests.ingestor.providers.fake import FakeProvider, until

MINUTE_NS = interval_ns("1m")
OPEN_NS = from_rfc3339("2026-11-25T14:30:00Z")
#: The time when a test begins: ten seconds into a minute.
BEGIN_NS = from_rfc3339("2026-11-25T15:00:10Z")
_SESSIONS = [
    Session(from_rfc3339("2026-11-24T14:30:00Z"), from_rfc3339("2026-11-24T21:00:00Z")),
    Session(OPEN_NS, from_rfc3339("2026-11-25T21:00:00Z")),
]


class MovedClock:
    """Runs like the wall clock from a time of its own, and jumps."""

    def __init__(self, begin_ns: int = BEGIN_NS) -> None:
        self._offset_ns = begin_ns - time.time_ns()
        self._stopped_ns: int | None = None

    def __call__(self) -> int:
        return (time.time_ns() if self._stopped_ns is None else self._stopped_ns) + self._offset_ns

    def stop(self) -> None:
        """Only jump from here on."""
        self._stopped_ns = time.time_ns()

    def jump(self, seconds: float) -> None:
        self._offset_ns += int(seconds * 1e9)

    async def sleep(self, seconds: float) -> None:
        self.jump(seconds)
        await asyncio.sleep(0)


class LivePlay:
    """A source, and all that it has said."""

    def __init__(
        self,
        fake: FakeProvider,
        folder: Path,
        *,
        limits: Limits | None = None,
        warm_up_bars: int = 0,
        interval: Interval = "1m",
        clock: MovedClock | None = None,
        sessions: Sessions | None = None,
        mute_seconds: float = 60.0,
        others: dict[str, FakeProvider] | None = None,
        fall_back_seconds: float | None = None,
    ) -> None:
        self.fake = fake
        self.clock = clock or MovedClock()
        self.registry = CollectorRegistry()
        figures = LiveFigures("fake", self.registry)
        self.budget = Budget("fake", limits or Limits(), folder, self.clock, self.clock.sleep)
        self.calls = Calls("fake", self.budget, figures, answer_seconds=5.0, pause_seconds=0.001)
        self.provider = fake.provider(self.calls)
        sessions = sessions or Sessions(_SESSIONS)

        def feed(name: str, provider: Provider) -> Feed:
            return Feed(
                name=name,
                provider=provider,
                sessions=sessions,
                hearing=Hearing(sessions, lateness_seconds=1.0, mute_seconds=mute_seconds),
                connecting=Connecting(provider.ticks, answer_seconds=5.0, least_seconds=0.0, pause_seconds=0.01),
                figures=figures.of(name),
            )

        feeds = [feed("fake", self.provider)]
        feeds += [feed(name, other.provider(self.calls)) for name, other in (others or {}).items()]
        self.desk = RosterDesk(("AAPL", "MSFT"))
        options = LiveOptions(
            interval=interval,
            warm_up_bars=warm_up_bars,
            longest_fill_days=7,
            fall_back_seconds=fall_back_seconds,
        )
        self.source = LiveSource(feeds, self.desk, options, self.clock, self.clock.sleep)
        self.moments: list[Moment] = []

    @asynccontextmanager
    async def playing(
        self, after: Position | None = None, places: Sequence[Position] = (), said: Sequence[Tick] = ()
    ) -> AsyncIterator[asyncio.Task[None]]:
        """Play until the block ends; wait for the first subscription."""
        self.source.take_up(said, {tick.ticker: tick for tick in said})
        task = asyncio.create_task(self._play(after, places))
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _play(self, after: Position | None, places: Sequence[Position]) -> None:
        async for moment in self.source.ticks(after, {}, places):
            self.moments.append(moment)

    async def connected(self, times: int = 1) -> None:
        """Wait until a stream was subscribed for the so-many-th time, and its gap is behind it."""
        await until(
            lambda: self.fake.connections >= times and self.source.health().trouble is None, what=f"connection {times}"
        )

    async def heard(self, count: int) -> None:
        """Wait until so many ticks have been said."""
        await until(lambda: len(ticks_of(self.moments)) >= count, what=f"{count} ticks of {ticks_of(self.moments)}")

    def bars(self) -> BarsByTicker:
        """Fold what was said; every tick must come before its bar is closed, or fail the test."""
        mark_ns = 0
        for moment in self.moments:
            for time_ns in moment.times_ns:
                assert time_ns >= mark_ns - mark_ns % MINUTE_NS, "a tick came after the watermark that closed its bar"
            mark_ns = max(mark_ns, moment.watermark_ns or 0)
        in_time = sorted(ticks_of(self.moments), key=lambda tick: tick[1])
        return fold(in_time, MINUTE_NS)

    def count(self, metric: str, **labels: str) -> float:
        """Give a metric's value."""
        return self.registry.get_sample_value(metric, {"source": "fake"} | labels) or 0.0
