"""Plays a source into the broker: validate, gather into frames, send."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Collection

from ingestor.figures import Figures
from ingestor.frames import FrameBuilder, NumberedFrame
from ingestor.publisher import Publisher
from ingestor.sources.moments import Moment, Position, Rejected, Source
from ingestor.validation import Validator
from schemas.dead_letters import DeadLetter

_log = logging.getLogger(__name__)

#: Faults that are logged one by one; later ones by the thousand.
_LOGGED_FAULTS = 50
_LOGGED_EVERY = 1_000
#: However busy a source is, timers and signals get their turn this often.
_TURN_SECONDS = 0.002


class Player:
    """Takes a source's moments to the broker, and frames that wait too long with them.

    Args:
        after: What every partition has already; what was rejected up to there has been dead-lettered.
        linger_seconds: How long a tick waits for others in its frame.
    """

    def __init__(
        self,
        source_name: str,
        builder: FrameBuilder,
        validator: Validator,
        publisher: Publisher,
        figures: Figures,
        *,
        linger_seconds: float,
        after: Position | None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._name = source_name
        self._builder = builder
        self._validator = validator
        self._publisher = publisher
        self._figures = figures
        self._linger_seconds = linger_seconds
        self._after = after
        self._clock_ns = clock_ns
        self._turn = asyncio.Lock()
        self._waiting = asyncio.Event()
        self._outbox: deque[NumberedFrame] = deque()
        self._letters_under_way = False
        self._faults = 0

    async def play(self, source: Source, last_prices: dict[str, float], places: Collection[Position] = ()) -> None:
        """Play to the end; `finish` sends the rest and waits for it.

        Args:
            last_prices: The source's newest in the log.
            places: What the partitions have each.

        Raises:
            PublishError: The broker refused a record for good.
            StopAndSayError: The source cannot continue.
        """
        turn_at = time.monotonic() + _TURN_SECONDS
        async for moment in source.ticks(self._after, last_prices, places):
            async with self._turn:
                await self._take(moment)
            if time.monotonic() > turn_at:
                await asyncio.sleep(0)
                turn_at = time.monotonic() + _TURN_SECONDS

    async def send_what_lingers(self) -> None:
        """Send, for ever, what has waited long enough for its frame to fill."""
        while True:
            await self._waiting.wait()
            await asyncio.sleep(self._linger_seconds)
            async with self._turn:
                self._waiting.clear()
                await self._send(self._builder.take())

    async def finish(self) -> None:
        """Send what still waits for its frame, or for confirmation, and wait until the broker has it all."""
        async with self._turn:
            await self._dead_letter(self._validator.release())
            await self._send(self._builder.take())
            await self._publisher.settle()

    async def _take(self, moment: Moment) -> None:
        now_ns = self._clock_ns()
        checked = self._validator.check(moment, now_ns)
        if checked.rejected and (self._after is None or checked.position > self._after):
            await self._dead_letter(checked.rejected)
        await self._send(self._builder.add(checked, now_ns))
        if checked.tickers:
            self._waiting.set()

    async def _send(self, frames: list[NumberedFrame]) -> None:
        """Send frames in their order; one that was interrupted by the end of the service comes first in `finish`.

        No frame may claim a place whose dead letter could still be lost, so those are waited for first.
        """
        self._outbox.extend(frames)
        if self._outbox and self._letters_under_way:
            await self._publisher.settle()
            self._letters_under_way = False
        while self._outbox:
            await self._publisher.send(self._outbox[0])
            self._outbox.popleft()

    async def _dead_letter(self, rejected: list[Rejected]) -> None:
        """Send dead letters; the next frame waits for them."""
        for bad in rejected:
            self._say(bad)
            self._figures.rejected(bad.code)
            letter = DeadLetter(value=bad.value, reason=bad.reason, origin=f"source:{self._name}", position=bad.place)
            self._letters_under_way = True
            await self._publisher.send_dead_letter(letter)

    def _say(self, bad: Rejected) -> None:
        self._faults += 1
        if self._faults <= _LOGGED_FAULTS or self._faults % _LOGGED_EVERY == 0:
            _log.warning("%s, row %s: %s (fault %d)", self._name, bad.place, bad.reason, self._faults)
