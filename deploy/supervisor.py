"""Keep the parts of a system running: start them, start again what dies, stop them all."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NoReturn

from deploy.backoff import Backoff
from deploy.log_lines import Log
from deploy.parts import Part, Verdict, how_it_ended, verdict
from deploy.running_part import RunningPart
from schemas.errors import StopAndSayError, TickcastError


class StartAfreshError(TickcastError):
    """The system lost what it cannot do without: everything must start again, the broker first."""


class Supervisor:
    """Runs parts until `stop`; lives in one event loop, in the main thread."""

    def __init__(self, log: Log, *, restart: bool = True, backoff: Callable[[], Backoff] = Backoff) -> None:
        """Make one without parts.

        Args:
            restart: Start again what dies; otherwise `watch` raises `StartAfreshError` where it is essential.
            backoff: Makes the delays of one part.
        """
        self._log = log
        self._restart = restart
        self._backoff = backoff
        self._tasks: list[asyncio.Task[None]] = []
        self._running: dict[str, RunningPart] = {}
        self._stopping = asyncio.Event()
        self._broker_up = asyncio.Event()
        self._broker_up.set()
        self._broker_losses = 0

    def start(self, parts: Iterable[Part]) -> None:
        """Begin to keep parts running."""
        self._tasks += [asyncio.create_task(self._keep(part), name=part.name) for part in parts]

    async def watch(self) -> None:
        """Return when every part is done.

        Raises:
            StopAndSayError: An essential part exited with the code that says "starting again would not help".
            StartAfreshError: A part died, and this supervisor starts nothing again.
        """
        for ended in asyncio.as_completed(list(self._tasks)):
            await ended

    def broker_lost(self) -> None:
        """Start nothing until the broker is back."""
        self._broker_losses += 1
        self._broker_up.clear()

    def broker_back(self) -> None:
        """Start what waits for the broker."""
        self._broker_up.set()

    async def stop(self, within_seconds: float) -> None:
        """Order every part to stop, kill what has not within the time, and return when all have ended."""
        self._stopping.set()
        self._broker_up.set()
        self._signal_all(signal.SIGTERM)
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=within_seconds)
        for task in late:
            self._log.say(f"{task.get_name()} did not stop within {within_seconds:g} s: killed")
        self._signal_all(signal.SIGKILL)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def kill(self) -> None:
        """Kill every part at once, after `stop` was called."""
        self._signal_all(signal.SIGKILL)

    def _signal_all(self, number: signal.Signals) -> None:
        for running in self._running.values():
            running.signal(number)

    async def _keep(self, part: Part) -> None:
        backoff = self._backoff()
        while await self._may_start():
            losses, started_at = self._broker_losses, time.monotonic()
            exit_code, said = await self._run(part)
            if self._stopping.is_set():
                return
            broker_was_up = self._broker_up.is_set() and losses == self._broker_losses
            match verdict(part, exit_code, broker_was_up=broker_was_up):
                case Verdict.DONE:
                    return
                case Verdict.STOPPED_AND_SAID:
                    self._stopped_and_said(part, said)
                    return
            if not self._restart and part.essential and not part.once:
                self._died(part, exit_code)
            delay_seconds = backoff.next_delay_seconds(time.monotonic() - started_at)
            await self._wait_to_restart(part, exit_code, delay_seconds)

    async def _may_start(self) -> bool:
        await self._broker_up.wait()
        return not self._stopping.is_set()

    async def _run(self, part: Part) -> tuple[int, str]:
        running = await RunningPart.start(part, self._log)
        self._running[part.name] = running
        if self._stopping.is_set():  # it was being started while the order was given
            running.signal(signal.SIGTERM)
        try:
            return await running.until_it_ends(), running.last_line
        finally:
            del self._running[part.name]

    def _stopped_and_said(self, part: Part, said: str) -> None:
        if part.essential:
            raise StopAndSayError(f"{part.name} stopped: {said}")
        self._log.say(f"{part.name} stopped: {said}; the others keep running")

    def _died(self, part: Part, exit_code: int) -> NoReturn:
        raise StartAfreshError(f"{part.name} {how_it_ended(exit_code)}")

    async def _wait_to_restart(self, part: Part, exit_code: int, delay_seconds: float) -> None:
        self._log.say(f"{part.name} {how_it_ended(exit_code)}; starting it again in {delay_seconds:g} s")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), delay_seconds)
