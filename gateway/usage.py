"""What each key asks for and is sent: counted in memory, and written to the database every few seconds."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from gateway.messages import Message
from gateway.presentation import time_text

WRITE_SECONDS = 5.0
_MONTH_CHARACTERS = len("2026-11")
_FIRST_ERROR = 400

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counts:
    """Of one key.

    Attributes:
        errors: Requests that were answered with 400 or above.
        messages: Sent on WebSockets and as server-sent events.
        bytes: Of bodies and messages, before any compression.
    """

    requests: int = 0
    errors: int = 0
    messages: int = 0
    bytes: int = 0

    def add(self, more: "Counts") -> None:
        """Add what came later."""
        self.requests += more.requests
        self.errors += more.errors
        self.messages += more.messages
        self.bytes += more.bytes


@dataclass(frozen=True, slots=True)
class MonthOfKey:
    """Whose counts, and of which month, like `2026-11`."""

    key_id: str
    month: str


#: Adds counts to those in the database, all or none.
WriteCounts = Callable[[dict[MonthOfKey, Counts]], None]


class Usage:
    """What was counted and is not written yet: at most one entry a key and month, however long that takes."""

    def __init__(self) -> None:
        self._since: defaultdict[str, Counts] = defaultdict(Counts)
        self._waiting: defaultdict[MonthOfKey, Counts] = defaultdict(Counts)

    def note_answer(self, key_id: str, status: int, body_bytes: int) -> None:
        """Count a request by its answer."""
        counts = self._since[key_id]
        counts.requests += 1
        counts.errors += status >= _FIRST_ERROR
        counts.bytes += body_bytes

    def note_socket(self, key_id: str) -> None:
        """Count a WebSocket that was opened before a message said for which key."""
        self._since[key_id].requests += 1

    def note_sent(self, key_id: str, messages: Sequence[Message]) -> None:
        """Count messages of a connection that stays."""
        counts = self._since[key_id]
        counts.messages += len(messages)
        counts.bytes += sum([len(message.frame) for message in messages])

    def take(self, month: str) -> dict[MonthOfKey, Counts]:
        """Give all that waits to be written; what was counted since the last time is of this month."""
        since, self._since = self._since, defaultdict(Counts)
        for key_id, counts in since.items():
            self._waiting[MonthOfKey(key_id, month)].add(counts)
        return self._waiting

    def forget_taken(self) -> None:
        """Forget what was taken last: it is written."""
        self._waiting = defaultdict(Counts)


class UsageWriter:
    """Writes what was counted, and keeps it while the database is away."""

    def __init__(self, usage: Usage, write: WriteCounts, clock_ns: Callable[[], int]) -> None:
        self._usage = usage
        self._write = write
        self._clock_ns = clock_ns
        self._away = False

    async def run(self, interval_seconds: float = WRITE_SECONDS) -> None:
        """Write every few seconds, and a last time when cancelled."""
        writing: asyncio.Task[None] | None = None
        try:
            while True:
                await asyncio.sleep(interval_seconds)
                writing = asyncio.create_task(self._write_all())
                await asyncio.shield(writing)  # cut short, nobody would know whether it was written
        finally:
            if writing is not None:
                await asyncio.wait({writing})
            await self._write_all()

    async def _write_all(self) -> None:
        taken = self._usage.take(time_text(self._clock_ns())[:_MONTH_CHARACTERS])
        if not taken:
            return
        try:
            await asyncio.to_thread(self._write, taken)
        except SQLAlchemyError as error:  # retry, with what will have been added
            if not self._away:
                _log.warning("cannot write the usage, it is kept: %s", type(error).__name__)
            self._away = True
        else:
            self._usage.forget_taken()
            self._away = False
