"""Tiny real processes for the supervisor, and the way to wait for what they do."""

import asyncio
import contextlib
import io
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

from deploy.backoff import Backoff
from deploy.log_lines import Log
from deploy.parts import Part
from deploy.supervisor import Supervisor

QUICK = partial(Backoff, first_seconds=0.02, longest_seconds=0.1)
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
FOREVER = "import signal\nwhile True: signal.pause()\n"


def python(name: str, code: str, *, once: bool = False, essential: bool = True) -> Part:
    """Give a part that runs some Python."""
    command = (sys.executable, "-I", "-S", "-u", "-c", code)
    return Part(name, command, once=once, essential=essential)


class Watched:
    """A supervisor, and what its log says."""

    def __init__(self, *, restart: bool = True, backoff: Callable[[], Backoff] = QUICK) -> None:
        self.stream = io.StringIO()
        self.supervisor = Supervisor(Log(self.stream, colour=False), restart=restart, backoff=backoff)

    @property
    def log(self) -> str:
        """Give all lines so far."""
        return self.stream.getvalue()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for a condition; fail with the log after a minute."""
        try:
            async with asyncio.timeout(60):
                while not holds():
                    await asyncio.sleep(0.01)
        except TimeoutError as error:
            raise AssertionError(f"it did not happen; the log:\n{self.log}") from error

    def pid_of(self, name: str) -> int:
        """Give the process id that a part printed last, as `pid N`."""
        lines = [line for line in self.log.splitlines() if line.startswith(name) and "pid " in line]
        return int(lines[-1].rpartition(" ")[2])


@contextlib.asynccontextmanager
async def watched(*parts: Part, restart: bool = True, backoff: Callable[[], Backoff] = QUICK) -> AsyncIterator[Watched]:
    """Start parts, and stop them at the end."""
    it = Watched(restart=restart, backoff=backoff)
    it.supervisor.start(parts)
    try:
        yield it
    finally:
        await it.supervisor.stop(1.0)


def lives(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be collected does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for a condition outside of an event loop."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:g} s"
        time.sleep(0.02)
