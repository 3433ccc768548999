"""Keeps workers running on one port: starts them, starts again what dies, stops them all."""

import logging
import multiprocessing
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from ctypes import Array, c_ubyte
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.settings import GatewaySettings
from gateway.workers.team import Post, State
from schemas.errors import EXIT_STOP_AND_SAY

#: From the end of the time to drain to SIGKILL.
STOP_SECONDS = 8.0
_LOOK_EVERY_SECONDS = 0.1
_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 15.0
#: A worker that ran this long starts at the first delay again.
_STEADY_SECONDS = 30.0

_log = logging.getLogger(__name__)
_spawn = multiprocessing.get_context("spawn")  # nothing of ours, no thread and no lock, is half there

#: What a worker does, in a process of its own: it drains at each message, and stops where there is nobody to send any.
Work = Callable[[GatewaySettings, socket.socket, Post, Connection], None]


def delay_seconds(deaths: int) -> float:
    """Give how long to wait after so many deaths in a row."""
    return min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2.0 ** min(deaths - 1, 30))


class Worker:
    """One of them, over all its processes."""

    def __init__(self, start: Callable[[Connection], BaseProcess], name: str) -> None:
        self._start = start
        self._name = name
        self._orders: Connection | None = None
        self._started_s = 0.0
        self._deaths = 0
        self._start_at_s = 0.0
        self.process: BaseProcess | None = None

    def look_after(self, now_s: float) -> int | None:
        """Start it where it is time to; give the exit code of a process that has just ended."""
        if self.process is None:
            if now_s >= self._start_at_s:
                theirs, self._orders = _spawn.Pipe(duplex=False)
                self._started_s, self.process = now_s, self._start(theirs)
                theirs.close()
            return None
        exit_code = self.process.exitcode
        if exit_code is not None:
            self._bury(exit_code, now_s)
        return exit_code

    def _bury(self, exit_code: int, now_s: float) -> None:
        self.process = None
        self._deaths = 1 if now_s - self._started_s >= _STEADY_SECONDS else self._deaths + 1
        delay_s = delay_seconds(self._deaths)
        self._start_at_s = now_s + delay_s
        _log.warning("%s ended with code %d; starting it again in %g s", self._name, exit_code, delay_s)

    def order_to_stop(self) -> None:
        """Tell it to drain; told again, it stops at once."""
        if self._orders is not None:
            with suppress(OSError):  # it has ended
                self._orders.send_bytes(b"stop")

    @property
    def runs(self) -> bool:
        """Tell whether there is a process that has not ended."""
        return self.process is not None and self.process.is_alive()


def run_workers(settings: GatewaySettings, listener: socket.socket, work: Work) -> None:
    """Run so many workers as are set until SIGTERM or SIGINT; exit as a worker does that is not to be started again."""
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: told.append(number))
    states = _spawn.RawArray(c_ubyte, settings.gateway_workers)
    with TemporaryDirectory(prefix="tickcast-workers-") as folder:

        def starter(number: int) -> Callable[[Connection], BaseProcess]:
            post = Post(number, states, Path(folder))
            own = settings.model_copy(update={"instance": f"{settings.instance}-{number}"})

            def start(orders: Connection) -> BaseProcess:
                process = _spawn.Process(target=work, args=(own, listener, post, orders), name=f"gateway {number}")
                process.start()
                return process

            return start

        workers = [Worker(starter(number), f"worker {number}") for number in range(1, len(states) + 1)]
        exit_code = _keep(workers, states, told)
        _stop(workers, told, settings.drain_seconds)
    sys.exit(exit_code)


def _keep(workers: list[Worker], states: "Array[c_ubyte]", told: list[int]) -> int:
    """Keep all of them running until told to stop; give the exit code."""
    while not told:
        for position, worker in enumerate(workers):
            exit_code = worker.look_after(time.monotonic())
            if exit_code == EXIT_STOP_AND_SAY:
                return exit_code
            if exit_code is not None and states[position] == State.READY:
                states[position] = State.GONE
        wait([worker.process.sentinel for worker in workers if worker.process is not None], _LOOK_EVERY_SECONDS)
    return 0


def _stop(workers: list[Worker], told: list[int], drain_seconds: float) -> None:
    """Order all to stop, again when told again, and kill what does not."""
    ordered, deadline_s = 0, time.monotonic() + drain_seconds + STOP_SECONDS
    while any(worker.runs for worker in workers) and time.monotonic() < deadline_s:
        if ordered < max(1, len(told)):
            ordered += 1
            for worker in workers:
                worker.order_to_stop()
            if ordered > 1:
                deadline_s = time.monotonic() + STOP_SECONDS
        wait([worker.process.sentinel for worker in workers if worker.runs and worker.process], _LOOK_EVERY_SECONDS)
    for worker in workers:
        if worker.process is not None and worker.runs:
            _log.warning("a worker did not stop: killed")
            worker.process.kill()
            worker.process.join()
