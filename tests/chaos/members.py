"""Services that are kept running, whatever is done to them, as `tickcast run` keeps its parts."""

import signal
import time
from collections.abc import Mapping

from deploy.backoff import Backoff
from deploy.parts import how_it_ended
from schemas.errors import EXIT_STOP_AND_SAY
from tests.processes import Processes, ServiceProcess

_STOP_SECONDS = 60.0
#: `tickcast run` waits up to 15 s; here deaths are many and ordered.
_LONGEST_WAIT_SECONDS = 3.0


class StoppedAndSaidError(AssertionError):
    """A member says that going on would be wrong, which nothing here may bring about."""


class Member:
    """One service and all its lives.

    Attributes:
        ends: How the lives ended that nobody had ordered to end.
    """

    def __init__(self, name: str, module: str, processes: Processes, environment: Mapping[str, str]) -> None:
        self.name = name
        self.lives: list[ServiceProcess] = []
        self.ends: list[str] = []
        self.environment = dict(environment)
        self._module = module
        self._processes = processes
        self._wanted = False
        self._frozen = False
        self._start_at: float | None = None
        self._backoff = Backoff(longest_seconds=_LONGEST_WAIT_SECONDS)
        self._started_at = 0.0

    @property
    def is_up(self) -> bool:
        """Tell whether it runs and nothing is done to it."""
        return self._wanted and not self._frozen and bool(self.lives) and self.lives[-1].alive()

    def start(self) -> None:
        """Begin a life."""
        self.lives.append(self._processes.start(self._module, environment=self.environment))
        self._wanted, self._start_at, self._started_at = True, None, time.monotonic()

    def kill(self) -> None:
        """End it as a power cut would; it stays away until `start`."""
        self._wanted = False
        self.lives[-1].kill()

    def end_politely(self) -> None:
        """Ask it to end and wait for it; it stays away until `start`."""
        self._wanted = False
        self.lives[-1].stop(_STOP_SECONDS)

    def freeze(self) -> None:
        """Let it stand still until `thaw`."""
        self._frozen = True
        self.lives[-1].send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._frozen = False
        self.lives[-1].send(signal.SIGCONT)

    def look(self, *, broker_is_up: bool) -> None:
        """Note an end that nobody ordered, and start again what is due; nothing while the broker is away.

        Raises:
            StoppedAndSaidError: It ended with the code that says "starting again would not help".
        """
        if not self._wanted or self.lives[-1].alive():
            return
        if self._start_at is None:
            self._note_end(broker_is_up=broker_is_up)
        elif broker_is_up and time.monotonic() >= self._start_at:
            self.start()

    def _note_end(self, *, broker_is_up: bool) -> None:
        code = self.lives[-1].wait()
        self.ends.append(how_it_ended(code))
        if code == EXIT_STOP_AND_SAY and broker_is_up:
            raise StoppedAndSaidError(f"{self.name} stopped: {self.lives[-1].output()[-2_000:]}")
        now = time.monotonic()
        self._start_at = now + self._backoff.next_delay_seconds(now - self._started_at)
