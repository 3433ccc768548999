"""One of the two logs as the healer sees it, and readers that are paused where a queue is full."""

import asyncio
from collections.abc import Iterator, Mapping

import faust
from faust.types import TP

from feature_stream.continuity import Continuity
from feature_stream.healing import Guard
from feature_stream.outcomes.desk import Desk
from feature_stream.outcomes.live import Lane
from feature_stream.turns import Side

#: Records of a partition that wait for the other log; at so many nothing more is read, at half of them again.
MOST_WAITING = 500
_AGAIN_SECONDS = 1.0


class Source:
    """One log of all partitions."""

    def __init__(self, desk: Desk, side: Side) -> None:
        self._desk = desk
        self._side = side

    @property
    def partitions(self) -> Mapping[int, Lane]:
        """Give how far each partition was read."""
        return {partition: live.lanes[self._side] for partition, live in self._desk.partitions.items()}

    def waiting(self) -> Iterator[tuple[int, Continuity]]:
        """Give the partitions that wait for a wanted record."""
        for partition, lane in self.partitions.items():
            if lane.continuity is not None and lane.continuity.waiting:
                yield partition, lane.continuity

    def pass_loss(self, partition: int, first_offset: int) -> None:
        """Pass a proved hole in the log, if there is one."""
        self._desk.pass_loss(self._side, partition, first_offset)


class Throttle:
    """Bounds what waits: of a log that is ahead of the other nothing more is read until it has its turn.

    What the reader has handed over already still comes: a few batches.
    """

    def __init__(self, desk: Desk, app: faust.App, topics: Mapping[Side, str], guard: Guard) -> None:
        self._desk = desk
        self._app = app
        self._topics = topics
        self._guard = guard
        self._tasks: set[asyncio.Task[None]] = set()
        self._said_at = 0.0

    def look(self, now: float) -> None:
        """Pause and resume; to be called often.

        Args:
            now: A monotonic clock, in seconds.
        """
        again = now - self._said_at >= _AGAIN_SECONDS  # a rewind may have ended a pause
        if again:
            self._said_at = now
        for partition, live in self._desk.partitions.items():
            for side, lane in live.lanes.items():
                count = len(live.turns.queues[side])
                held = count >= MOST_WAITING or (lane.paused and count > MOST_WAITING // 2)
                if held != lane.paused or (held and again):
                    lane.paused = held
                    self._order(TP(self._topics[side], partition), held)

    def _order(self, tp: TP, held: bool) -> None:
        task = asyncio.get_running_loop().create_task(self._guard(self._app.consumer.hold(tp, held=held)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
