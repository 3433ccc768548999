"""From a mailbox to a client, however its messages are written."""

import asyncio
import contextlib
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from gateway.access.stay import Stay
from gateway.followed import delivered
from gateway.hub import Subscriber
from gateway.mailbox import Mailbox
from gateway.messages import Message, message_of
from gateway.parts import Parts
from gateway.presentation import time_text
from gateway.problems import ProblemError, not_caught_up, stopping, too_many_clients
from gateway.streams import Stream
from schemas.close_codes import CLOSE_REASONS, CloseCode
from schemas.sockets import Heartbeat, ServerShutdown

#: Written at a stretch; between two stretches the other clients have their turn.
STRETCH_BYTES = 65_536
#: Clients of a gateway that stops come back within this time, each at another moment.
RECONNECT_WITHIN_MS = 5_000


def refusal(parts: Parts) -> ProblemError | None:
    """Tell why no further client can follow a stream now; None: it can."""
    if parts.hub.closing:
        return stopping()
    if not parts.latest.caught_up:
        return not_caught_up()
    if len(parts.hub) >= parts.settings.maximum_clients:
        return too_many_clients(parts.settings.maximum_clients)
    return None


def shutdown_message() -> Message:
    """Give the last message of a gateway that stops, to one client."""
    after_ms = random.randrange(RECONNECT_WITHIN_MS)
    return message_of(ServerShutdown(reconnect_after_ms=after_ms, message=CLOSE_REASONS[CloseCode.GOING_AWAY]))


class Delivery(ABC):
    """One client's: a reader and a writer, until one of them ends or the hub closes the mailbox."""

    def __init__(self, parts: Parts, stream: Stream[Any], stay: Stay | None) -> None:
        """Deliver; without `stay`, nobody is asked who he is."""
        self._parts = parts
        self._stay = stay
        self._stream = stream
        self._something = asyncio.Event()
        self._answered = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._in_round = False
        self._mailbox = Mailbox(parts.settings.client_queue, self._wake)
        self._skipped_counted = 0

    @abstractmethod
    async def _read(self, subscriber: Subscriber) -> None:
        """Listen to the client until it goes."""

    @abstractmethod
    async def _write(self, messages: list[Message], *, in_order: bool) -> None:
        """Write messages; `in_order`: nothing that comes before them was left out.

        Raises:
            OSError: The client is gone.
        """

    def _writes_now(self) -> Callable[[list[Message]], None] | None:
        """Give what writes without waiting; None: the client has to be waited for."""
        return None

    @abstractmethod
    async def _say_goodbye(self, code: CloseCode) -> None:
        """Tell the client that the gateway ends it, and why."""

    async def run(self) -> None:
        """Deliver until one of the two goes away."""
        parts = self._parts
        beat_at_s = time.monotonic() + parts.settings.heartbeat_seconds
        subscriber = parts.hub.join(self._stream.audience, self._mailbox, beat_at_s)
        reader, self._writer = (asyncio.create_task(work) for work in (self._read(subscriber), self._write_all()))
        if self._stay is not None:
            self._stay.when_ended(self._mailbox.close)
        self._wake()
        parts.instruments.clients.inc()
        try:
            done, _ = await asyncio.wait({reader, self._writer}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.cancelled():
                    task.result()
            if self._mailbox.closed is not None:
                with contextlib.suppress(OSError):
                    await self._say_goodbye(self._mailbox.closed)
        finally:
            reader.cancel()
            self._writer.cancel()
            parts.hub.leave(subscriber)
            parts.instruments.clients.dec()
            parts.instruments.count_closed(self._mailbox.closed)
            self._count_skipped()

    def _wake(self) -> None:
        if self._mailbox.closed is not None and self._writer is not None:
            self._something.set()
            self._writer.cancel()  # it may wait for a client that does not read
        elif not self._in_round:
            self._in_round = True
            self._parts.rounds.add(self._write_in_round)

    def _write_in_round(self) -> None:
        """Write what waits, where that can be done at once; else the task does, which can wait for the client."""
        self._in_round = False
        mailbox = self._mailbox
        write = None if mailbox.in_hand or mailbox.closed is not None else self._writes_now()
        if write is None:
            self._something.set()
            return
        messages = mailbox.take(STRETCH_BYTES, time.monotonic(), self._heartbeat)
        if messages:
            write(messages)
        if self._written(messages):
            self._wake()

    def _now(self) -> str:
        return time_text(self._parts.clock_ns())

    async def _write_all(self) -> None:
        with contextlib.suppress(OSError):  # the client is gone: stop
            while True:
                await self._something.wait()
                self._something.clear()
                await self._write_waiting()

    async def _write_waiting(self) -> None:
        more = True
        while more:
            messages = self._mailbox.take(STRETCH_BYTES, time.monotonic(), self._heartbeat)
            if messages:
                await self._write(messages, in_order=self._mailbox.in_order)
            more = self._written(messages)
            if more:
                await asyncio.sleep(0)

    def _written(self, messages: list[Message]) -> bool:
        """Take note of what is out; tell whether more waits."""
        more = self._mailbox.sent() and self._mailbox.closed is None
        if self._parts.tracer is not None:
            delivered(self._parts.tracer, messages, self._parts.clock_ns())
        self._parts.instruments.count_sent(messages)
        if self._stay is not None and self._stay.caller is not None:
            self._parts.usage.note_sent(self._stay.caller.id, messages)
        self._count_skipped()
        if not self._mailbox.has_replies:
            self._answered.set()
        return more

    def _heartbeat(self, count: int, skipped: int) -> Message:
        age_seconds = self._stream.age_seconds(self._parts.clock_ns())
        return message_of(Heartbeat(count, skipped, self._now(), age_seconds))

    def _count_skipped(self) -> None:
        if self._mailbox.skipped != self._skipped_counted:
            self._parts.instruments.conflated.inc(self._mailbox.skipped - self._skipped_counted)
            self._skipped_counted = self._mailbox.skipped
