"""How fast a source is played."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from schemas.times import NS_PER_SECOND

#: A play that is further behind, because the broker was slow, continues from where it is and not in a burst.
_MAXIMUM_BEHIND_SECONDS = 1.0
#: While a source is quiet, it says at least this often how far it has come.
QUIET_SECONDS = 1.0
#: After so many rows, others have their turn: this is a few milliseconds.
_TURN_ROWS = 500


class Turns:
    """Gives everything else in the process its turn while a source passes over row after row and says nothing."""

    def __init__(self) -> None:
        self._passed = 0

    async def passed_over(self) -> None:
        """Count a row; now and then, let others go first."""
        self._passed += 1
        if self._passed % _TURN_ROWS == 0:
            await asyncio.sleep(0)


class Pace:
    """Spreads steps, or event times, over wall time.

    Args:
        speed: Units (bars, or event seconds) per second of wall time; 0: no waiting at all.
        clock: Seconds of a clock that never goes back.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        speed: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._due_seconds: float | None = None
        self._reached_ns: int | None = None

    @property
    def waits(self) -> bool:
        """Tell whether there is any waiting."""
        return self._speed > 0

    async def step(self, units: float) -> AsyncIterator[None]:
        """Wait until so many units have passed since the last step; while waiting, come back once a second.

        The first step is at once.
        """
        due = self._next_due(units)
        if due is not None:
            async for _ in self._seconds_until(due):
                yield

    async def until(self, time_ns: int) -> AsyncIterator[int]:
        """Wait until the play has reached an event time; while waiting, give the times reached, once a second."""
        since = time_ns if self._reached_ns is None else self._reached_ns
        due = self._next_due(max(0, time_ns - since) / NS_PER_SECOND)
        self._reached_ns = max(time_ns, since)
        if due is None:
            return
        async for _ in self._seconds_until(due):
            ahead_seconds = max(0.0, due - self._clock()) * self._speed
            yield max(since, time_ns - int(ahead_seconds * NS_PER_SECOND))

    def _next_due(self, units: float) -> float | None:
        if not self._speed:
            return None
        now = self._clock()
        due = now if self._due_seconds is None else self._due_seconds + units / self._speed
        self._due_seconds = max(due, now - _MAXIMUM_BEHIND_SECONDS)
        return self._due_seconds

    async def _seconds_until(self, due: float) -> AsyncIterator[None]:
        while due - self._clock() > QUIET_SECONDS:
            await self._sleep(QUIET_SECONDS)
            yield
        seconds = due - self._clock()
        if seconds > 0:
            await self._sleep(seconds)
