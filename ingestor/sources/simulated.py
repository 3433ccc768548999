"""Made-up ticks at any rate: seeded geometric random walks on the wall clock, for load."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection

from ingestor.sources.moments import Moment, Position, SourceHealth
from ingestor.sources.pace import QUIET_SECONDS
from ingestor.sources.walks import SimulatedOptions, TickColumns, Walks
from schemas.events import Origin
from schemas.times import NS_PER_SECOND

#: Ticks in one moment, at most, and the shortest time between two.
_BATCH_TICKS = 512
_BATCH_SECONDS = 0.005
#: A source that is further behind than this, because the broker was slow, leaves the rest out: time goes on.
_MAXIMUM_BEHIND_SECONDS = 1.0


class SimulatedSource:
    """Gives ticks of random tickers at an even rate, and a watermark at least once a second.

    A position is the number of the batch; after a restart it resumes with the next, at the prices of the log.

    Args:
        clock_ns: The wall clock.
        sleep: Waits for so many seconds.
    """

    live = True

    def __init__(
        self,
        options: SimulatedOptions,
        clock_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._options = options
        self._clock_ns = clock_ns
        self._sleep = sleep
        self.content = {"source": "simulated", "interval": options.interval}
        self.goes_on_from = options.tickers
        self.title = f"made-up ticks of {len(options.tickers)} tickers, {options.rate_per_second:g} a second"

    def health(self) -> SourceHealth:
        """Say that all is well: what is read here is here."""
        return SourceHealth()

    async def ticks(
        self,
        after: Position | None,
        last_prices: dict[str, float],
        places: Collection[Position] = (),  # noqa: ARG002
    ) -> AsyncIterator[Moment]:
        """Make up ticks, for ever."""
        number = after[0] + 1 if after else 1
        walks = Walks(self._options, number, last_prices)
        schedule = Schedule(self._clock_ns(), self._options.rate_per_second)
        yield _moment(number, walks.ticks(0), [], schedule.start_ns)  # time has jumped since the last run
        while True:
            number += 1
            times_ns = schedule.due(self._clock_ns())
            mark_ns = schedule.mark(self._clock_ns())
            if times_ns or mark_ns is not None:
                yield _moment(number, walks.ticks(len(times_ns)), times_ns, mark_ns)
            await self._sleep(schedule.pause_seconds(self._clock_ns()))


class Schedule:
    """Says which ticks are due, and when the next are; times count from its start."""

    def __init__(self, start_ns: int, rate_per_second: float) -> None:
        self.start_ns = start_ns
        self._gap_ns = NS_PER_SECOND / rate_per_second
        self._next_ns = 0.0
        self._marked_ns = 0

    def due(self, now_ns: int) -> list[int]:
        """Give the times of the ticks that are due, a batch of them at most."""
        elapsed_ns = now_ns - self.start_ns
        self._next_ns = max(self._next_ns, elapsed_ns - _MAXIMUM_BEHIND_SECONDS * NS_PER_SECOND)
        if elapsed_ns < self._next_ns:
            return []
        count = min(_BATCH_TICKS, int((elapsed_ns - self._next_ns) // self._gap_ns) + 1)
        times_ns = [self.start_ns + int(self._next_ns + index * self._gap_ns) for index in range(count)]
        self._next_ns += count * self._gap_ns
        return times_ns

    def mark(self, now_ns: int) -> int | None:
        """Give a watermark where it is time for one: no later tick lies before it."""
        elapsed_ns = now_ns - self.start_ns
        if elapsed_ns - self._marked_ns < QUIET_SECONDS * NS_PER_SECOND:
            return None
        self._marked_ns = min(elapsed_ns, int(self._next_ns))
        return self.start_ns + self._marked_ns

    def pause_seconds(self, now_ns: int) -> float:
        """Give the time until the next tick or watermark; at a high rate, until there is a batch."""
        elapsed_ns = now_ns - self.start_ns
        if self._next_ns + _BATCH_SECONDS * NS_PER_SECOND < elapsed_ns:
            return 0.0
        next_ns = min(self._next_ns, self._marked_ns + QUIET_SECONDS * NS_PER_SECOND)
        return max(_BATCH_SECONDS, (next_ns - elapsed_ns) / NS_PER_SECOND)


def _moment(number: int, ticks: TickColumns, times_ns: list[int], mark_ns: int | None) -> Moment:
    tickers, prices, sizes = ticks
    return Moment(
        position=(number,),
        tickers=tickers,
        times_ns=times_ns,
        prices=prices,
        sizes=sizes,
        origin=Origin.SIMULATED,
        watermark_ns=mark_ns,
    )
