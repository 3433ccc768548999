"""Writing to many clients in one turn of the event loop."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

#: Clients written to at a stretch; between two stretches whatever else is due has its turn.
AT_A_STRETCH = 256


class Rounds:
    """Clients for whom something waits. They are written to together, once the loop has taken what there was to take:
    to wake a task for each would cost more than the writing does."""

    def __init__(self, observe: Callable[[float], None] = lambda _: None) -> None:
        """Tell `observe` how many seconds each round took: from somebody's waiting to nobody's."""
        self._observe = observe
        self._waiting: deque[Callable[[], None]] = deque()
        self._planned = False
        self._began_s = 0.0

    def add(self, write: Callable[[], None]) -> None:
        """Have something written soon."""
        if not self._waiting and not self._planned:
            self._began_s = time.perf_counter()
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
            else:
                self._observe(time.perf_counter() - self._began_s)
