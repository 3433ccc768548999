"""End a process that was stopped too long, or whose event loop is stuck: it may have lost its place and not know."""

import logging
import os
import threading
import time

_log = logging.getLogger(__name__)
_LOOK_EVERY_SECONDS = 0.25
EXIT_LOST_PLACE = 1


def end_process(reason: str) -> None:
    """End at once, with nothing more written; the supervisor starts the service again."""
    _log.error("%s: this process ends itself and begins again", reason)
    _exit(EXIT_LOST_PLACE)


def leave_at_once(reason: str) -> None:
    """End a stop that cannot come to its end; threads that wait for the broker would keep the process for long."""
    _log.warning("%s: stopped all the same; the next start reads again what was not kept", reason)
    _exit(0)


def _exit(code: int) -> None:
    for handler in logging.getLogger().handlers:
        handler.flush()
    os._exit(code)


class Watchdog:
    """A thread that looks at the clock."""

    def __init__(self, stopped_seconds: float, stuck_seconds: float) -> None:
        self._stopped_seconds = stopped_seconds
        self._stuck_seconds = stuck_seconds
        self._loop_alive_at = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self.loop_is_alive()
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()

    def loop_is_alive(self) -> None:
        """Be told by the event loop that it turns."""
        self._loop_alive_at = time.monotonic()

    def _run(self) -> None:
        looked_at = time.monotonic()
        while not self._ended.wait(_LOOK_EVERY_SECONDS):
            now = time.monotonic()
            if now - looked_at > self._stopped_seconds:
                end_process(f"the process stood still for {now - looked_at:.1f} s")
            if now - self._loop_alive_at > self._stuck_seconds:
                end_process(f"the event loop stood still for {now - self._loop_alive_at:.1f} s")
            looked_at = now
