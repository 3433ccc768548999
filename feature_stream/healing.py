"""Gaps healed by reading again, holes in the log passed once they are proved."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import faust
from faust.types import TP

from feature_stream.figures import StageFigures
from feature_stream.stage import Stage
from schemas.topics import TICKS

_log = logging.getLogger(__name__)

#: Runs a piece of work; an error in it ends the process.
Guard = Callable[[Coroutine[Any, Any, None]], Coroutine[Any, Any, None]]


class Healer:
    """Seeks where the stage misses a record."""

    def __init__(self, stage: Stage, figures: StageFigures, app: faust.App, topic_name: str, guard: Guard) -> None:
        self._stage = stage
        self._figures = figures
        self._app = app
        self._topic_name = topic_name
        self._guard = guard
        self._tasks: set[asyncio.Task[None]] = set()

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
