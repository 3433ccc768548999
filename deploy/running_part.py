"""One process of a part: its start, its lines, its end."""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from deploy.log_lines import Line, LineSplitter, Log
from deploy.parts import Part
from deploy.readiness import until_ready

_LAUNCHER = str(Path(__file__).with_name("launch.py"))


class RunningPart:
    """One process of a part, in a session of its own, so that only we order its stop."""

    def __init__(self, part: Part, process: asyncio.subprocess.Process, log: Log) -> None:
        self._part = part
        self._process = process
        self._log = log
        self._started_at = time.monotonic()
        #: The newest line, without the part's name before it.
        self.last_line = ""

    @classmethod
    async def start(cls, part: Part, log: Log) -> "RunningPart":
        """Start the process, from the main thread; on Linux it is killed when ours ends, however it ends."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", _LAUNCHER, "--kill", str(os.getpid()), *part.command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=part.environment,
            start_new_session=True,
        )
        if part.niceness:
            with suppress(ProcessLookupError, PermissionError):  # it ended already, or we are nicer ourselves
                os.setpriority(os.PRIO_PROCESS, process.pid, part.niceness)
        return cls(part, process, log)

    async def until_it_ends(self) -> int:
        """Show its lines, say when it is ready, and give its exit code."""
        readiness = asyncio.create_task(self._say_when_ready())
        output = asyncio.create_task(self._pump())
        try:
            exit_code = await self._process.wait()
            await asyncio.wait([output], timeout=1.0)  # what it started itself may hold the pipe open
        finally:
            readiness.cancel()
            output.cancel()
            self.signal(signal.SIGKILL)  # what it started itself goes with it
        return exit_code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and all that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _say_when_ready(self) -> None:
        if self._part.health_url is not None:
            await until_ready(self._part.health_url)
            self._log.say(f"{self._part.name} is ready after {time.monotonic() - self._started_at:.1f} s")

    async def _pump(self) -> None:
        stream, splitter = self._process.stdout, LineSplitter()
        while stream is not None and (data := await stream.read(65_536)):
            self._show(splitter.feed(data))
        self._show(splitter.close())

    def _show(self, lines: list[Line]) -> None:
        for line in lines:
            self._log.show(self._part.name, line)
            self.last_line = line.text.removeprefix(f"{self._part.name}: ")
