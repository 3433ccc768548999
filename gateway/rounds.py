"""Writing to many clients in one turn of the event loop."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from gateway.figures import KEPT
from schemas.times import NS_PER_SECOND

#: Clients written to at a stretch; between two stretches whatever else is due has its turn.
AT_A_STRETCH = 256


class Rounds:
    """Clients for whom something waits. They are written to together, once the loop has taken what there was to take:
    to wake a task for each would cost more than the writing does.

    Attributes:
        took_ns: How long each of the newest rounds took, from when the first client waited until none did.
    """

    def __init__(
        self, observe: Callable[[float], None] = lambda _: None, clock_ns: Callable[[], int] = time.perf_counter_ns
    ) -> None:
        """Tell `observe` the seconds of each round, too."""
        self._observe = observe
        self._clock_ns = clock_ns
        self._began_ns: int | None = None
        self.took_ns: deque[int] = deque(maxlen=KEPT)
        self._waiting: deque[Callable[[], None]] = deque()
        self._planned = False

    def add(self, write: Callable[[], None]) -> None:
        """Have something written soon."""
        if self._began_ns is None:
            self._began_ns = self._clock_ns()
        self._waiting.append(write)
        self._plan()

    def _plan(self) -> None:
        if not self._planned:
            self._planned = True
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        self._planned = False
        try:
            for _ in range(min(AT_A_STRETCH, len(self._waiting))):
                self._waiting.popleft()()
        finally:  # what fails for one client is not the others' loss
            if self._waiting:
                self._plan()
            elif self._began_ns is not None:
                self.took_ns.append(self._clock_ns() - self._began_ns)
                self._observe(self.took_ns[-1] / NS_PER_SECOND)
                self._began_ns = None
