"""A service's own word on itself, for `/health` and `service-status`."""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from schemas import VERSION
from schemas.codec import encode
from schemas.events import CommandProgress, ServiceState, ServiceStatus, SourceStatus

_log = logging.getLogger(__name__)

REPORT_EVERY_SECONDS = 5.0

#: Sends a record to `service-status`: key, value.
SendStatus = Callable[[bytes, bytes], None]


def resident_bytes() -> int:
    """Give the memory that this process holds; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


class StatusBoard:
    """The newest state of this service; any thread may set and read it."""

    def __init__(self, service: str, instance: str) -> None:
        self.service = service
        self.instance = instance
        self.changed = threading.Event()
        self._started_at_ns = time.time_ns()
        self._state = ServiceState.STARTING
        self._message = ""
        self._trouble: str | None = None
        self._trouble_told_at = float("inf")
        self._word_good_for_seconds = float("inf")
        self._lag_records: int | None = None
        self._lag_seconds: float | None = None
        self._totals: dict[str, int] = {}
        self._rates: dict[str, float] = {}
        self._latency_seconds: dict[str, float] = {}
        self._commands: list[CommandProgress] = []
        self._sources: list[SourceStatus] = []

    @property
    def state(self) -> ServiceState:
        """Give the state now."""
        return self._state

    def set_state(self, state: ServiceState, message: str = "") -> None:
        """Change the state; a reporter sends it at once."""
        if (state, message) != (self._state, self._message):
            self._state, self._message = state, message
            self.changed.set()

    @property
    def is_well(self) -> bool:
        """Tell whether the service does its work, or has done all of it."""
        return self._state in (ServiceState.READY, ServiceState.ENDED) and self.trouble is None

    @property
    def trouble(self) -> str | None:
        """Say why the service does not do its work although its state is good; None: it does, as far as it says."""
        silent_seconds = time.monotonic() - self._trouble_told_at
        if silent_seconds > self._word_good_for_seconds:
            return f"it has not said how it is for {silent_seconds:.0f} s"
        return self._trouble

    def set_trouble(self, reason: str | None, good_for_seconds: float) -> None:
        """Say why the service does not do its work, or that it does; a reporter sends a change at once.

        Args:
            reason: It; None: all is well.
            good_for_seconds: Whoever has spoken once must speak again within this time, or is in trouble.
        """
        changed = (self._trouble is None) != (reason is None)
        self._trouble, self._word_good_for_seconds = reason, good_for_seconds
        self._trouble_told_at = time.monotonic()
        if changed:
            self.changed.set()

    def set_figures(
        self,
        *,
        lag_records: int | None = None,
        lag_seconds: float | None = None,
        rates: dict[str, float] | None = None,
        latency_seconds: dict[str, float] | None = None,
        totals: dict[str, int] | None = None,
    ) -> None:
        """Replace the figures that go out with the next report."""
        self._lag_records = lag_records
        self._lag_seconds = lag_seconds
        self._rates = rates or {}
        self._latency_seconds = latency_seconds or {}
        self._totals = totals or {}

    def set_commands(self, commands: Sequence[CommandProgress]) -> None:
        """Replace the commands that go out with a report; a reporter sends a change of a state at once."""
        before, self._commands = self._commands, list(commands)
        if [(each.id, each.state) for each in before] != [(each.id, each.state) for each in commands]:
            self.changed.set()

    def set_sources(self, sources: Sequence[SourceStatus]) -> None:
        """Replace what goes out of what is played."""
        self._sources = list(sources)

    def event(self) -> ServiceStatus:
        """Give the status as an event; who is in trouble is degraded."""
        state, message, trouble = self._state, self._message, self.trouble
        if trouble is not None and state in (ServiceState.CATCHING_UP, ServiceState.READY):
            state, message = ServiceState.DEGRADED, trouble
        return ServiceStatus(
            service=self.service,
            instance=self.instance,
            version=VERSION,
            state=state,
            message=message,
            started_at_ns=self._started_at_ns,
            updated_at_ns=time.time_ns(),
            memory_bytes=resident_bytes(),
            lag_records=self._lag_records,
            rates=self._rates,
            latency_seconds=self._latency_seconds,
            commands=self._commands,
            lag_seconds=self._lag_seconds,
            totals=self._totals,
            sources=self._sources,
        )

    def record(self) -> tuple[bytes, bytes]:
        """Give key and value for `service-status`."""
        return f"{self.service}/{self.instance}".encode(), encode(self.event())


class StatusReporter:
    """A thread that sends the board every 5 s and at every change of state."""

    def __init__(self, board: StatusBoard, send: SendStatus) -> None:
        self._board = board
        self._send = send
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="status", daemon=True)

    def start(self) -> None:
        """Begin to report."""
        self._thread.start()

    def stop(self) -> None:
        """Send a last word and end the thread."""
        self._board.set_state(ServiceState.STOPPING)  # first: whoever sees that we stop sends this state
        self._stopped.set()
        self._board.changed.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _run(self) -> None:
        while True:
            self._board.changed.clear()
            stopping = self._stopped.is_set()
            self._report()
            if stopping:
                return
            self._board.changed.wait(REPORT_EVERY_SECONDS)

    def _report(self) -> None:
        try:
            self._send(*self._board.record())
        except Exception as error:  # a full producer, a broker that is away: the next report is the retry
            _log.warning("the status could not be sent, trying again: %s", error)
