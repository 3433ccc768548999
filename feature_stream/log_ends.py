"""Where the partitions of `ticks` end, as the broker says when asked: a fetch that hangs says nothing new."""

import asyncio
import logging
import time

import faust
from faust.types import TP

_log = logging.getLogger(__name__)


class LogEnds:
    """Asks now and then, and remembers the last answer."""

    def __init__(self, app: faust.App, topic_name: str) -> None:
        self._app = app
        self._topic_name = topic_name
        self._asking: asyncio.Task[None] | None = None
        self._ends: dict[int, int] = {}
        self._answered_at = time.monotonic()

    def end(self, partition: int) -> int:
        """Give the offset that the next record would have got at the last answer; 0 where there was none."""
        return self._ends.get(partition, 0)

    def ask(self, partitions: set[int]) -> None:
        """Ask, unless a question is still open. Nothing to ask of is an answer too."""
        if not partitions:
            self._ends, self._answered_at = {}, time.monotonic()
        elif self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._ask(partitions))

    def silent_seconds(self, now: float) -> float:
        """Say how long ago the last answer came.

        Args:
            now: A monotonic clock, in seconds.
        """
        return now - self._answered_at

    async def _ask(self, partitions: set[int]) -> None:
        try:
            ends = await self._app.consumer.highwaters(*(TP(self._topic_name, number) for number in partitions))
        except Exception as error:  # retry: in a second; how old the last answer is tells the rest
            _log.debug("the ends of %s are not known: %r", self._topic_name, error)
            return
        self._ends = {tp.partition: end for tp, end in ends.items()}
        self._answered_at = time.monotonic()
