"""Gaps and silence healed by reading again, holes in the log passed once they are proved."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import faust
from faust.types import TP

from feature_stream.figures import StageFigures
from feature_stream.progress import Progress
from feature_stream.stage import Stage
from schemas.errors import RetryError
from schemas.topics import TICKS

_log = logging.getLogger(__name__)

#: Of a partition that brings nothing for so long, the last records may have been dropped: no later one shows the gap.
#: It is read again, and after twice the time once more.
SILENT_SECONDS = 2.0
MUTE_SECONDS = 30.0

#: Runs a piece of work; an error in it ends the process.
Guard = Callable[[Coroutine[Any, Any, None]], Coroutine[Any, Any, None]]


class MuteConsumerError(RetryError):
    """The consumer brings nothing although there is something: only a new process helps."""


class Healer:
    """Seeks where the stage misses a record."""

    def __init__(self, stage: Stage, figures: StageFigures, app: faust.App, topic_name: str, guard: Guard) -> None:
        self._stage = stage
        self._figures = figures
        self._app = app
        self._topic_name = topic_name
        self._guard = guard
        self._tasks: set[asyncio.Task[None]] = set()
        self._progress: dict[int, Progress] = {}
        self._read_again_after: dict[int, float] = {}

    def rewind(self, partition: int) -> None:
        """Begin to read a partition again from the record that it misses."""
        task = asyncio.get_running_loop().create_task(self._guard(self._read_again(partition)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def heal(self, now: float) -> None:
        """Try again what is still missing; to be called now and then."""
        for partition, continuity in list(self._stage.waiting()):
            if continuity.rewind_due(now):
                self.rewind(partition)

    def watch(self, lags: Mapping[int, int], now: float) -> None:
        """Read again the partitions of which records wait and none comes; to be called about once a second.

        Args:
            lags: Records that wait, by partition.
            now: A monotonic clock, in seconds.

        Raises:
            MuteConsumerError: It has not helped.
        """
        self._progress = {partition: self._progress.get(partition) or Progress(now) for partition in lags}
        for partition, lag in lags.items():
            continuity = self._stage.partitions[partition].continuity
            if continuity is not None:
                idle_seconds = self._progress[partition].idle_seconds(lag, continuity.next_offset, now)
                self._end_silence(partition, lag, idle_seconds)

    def _end_silence(self, partition: int, lag: int, idle_seconds: float) -> None:
        if idle_seconds > MUTE_SECONDS:
            raise MuteConsumerError(
                f"{lag} records of {TICKS.name}-{partition} wait, and none came for {MUTE_SECONDS:g} s"
            )
        if idle_seconds < SILENT_SECONDS:
            self._read_again_after[partition] = SILENT_SECONDS
        elif idle_seconds >= self._read_again_after[partition]:
            self._read_again_after[partition] = 2 * idle_seconds
            self.rewind(partition)

    async def _read_again(self, partition: int) -> None:
        tp = TP(self._topic_name, partition)
        if tp not in self._app.consumer.assignment():
            return
        earliest = await self._app.consumer.earliest_offsets(tp)
        self._stage.pass_loss(partition, earliest[tp])
        live = self._stage.partitions.get(partition)
        if live is None or live.continuity is None:
            return  # it went to another worker meanwhile
        wanted = live.continuity.next_offset
        _log.warning("%s-%d: a record is missing: reading again from %d", TICKS.name, partition, wanted)
        self._figures.gaps_healed.inc()
        await self._app.consumer.rewind(tp, wanted)
