"""Gaps and silence healed by reading again, holes in the log passed once they are proved."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Protocol

import faust
from faust.types import TP

from feature_stream.continuity import Continuity
from feature_stream.progress import Flow, Progress, Silence
from feature_stream.worker_figures import WorkerFigures
from schemas.topics import TICKS

_log = logging.getLogger(__name__)

#: Of a partition that brings nothing for so long, the last records may have been dropped: no later one shows the gap.
#: It is read again, and after twice the time once more.
SILENT_SECONDS = 2.0

#: Runs a piece of work; an error in it ends the process.
Guard = Callable[[Coroutine[Any, Any, None]], Coroutine[Any, Any, None]]


class HasContinuity(Protocol):
    """One partition of a source."""

    continuity: Continuity | None


class Healable(Protocol):
    """A source as whoever absorbs it holds it."""

    @property
    def partitions(self) -> Mapping[int, HasContinuity]:
        """Give what is held, by partition."""
        ...

    def waiting(self) -> Iterable[tuple[int, Continuity]]:
        """Give the partitions that wait for a wanted record."""
        ...

    def pass_loss(self, partition: int, first_offset: int) -> None:
        """Pass a proved hole in the log, if there is one."""
        ...


class Healer:
    """Seeks where the stage misses a record."""

    def __init__(
        self,
        stage: Healable,
        figures: WorkerFigures,
        app: faust.App,
        topic_name: str,
        guard: Guard,
        *,
        source: str = TICKS.name,
    ) -> None:
        self._source = source
        self._stage = stage
        self._figures = figures
        self._app = app
        self._topic_name = topic_name
        self._guard = guard
        self._tasks: set[asyncio.Task[None]] = set()
        self._progress: dict[int, Progress] = {}
        self._read_again_after: dict[int, float] = {}
        self._missing: dict[int, int] = {}
        self._taken = 0
        self._rewound_at_bytes: dict[int, int] = {}

    def rewind(self, partition: int, why: str = "a record is missing") -> None:
        """Begin to read a partition again from the record that it misses."""
        self._rewound_at_bytes[partition] = self._app.consumer.flow().read_bytes
        task = asyncio.get_running_loop().create_task(self._guard(self._read_again(partition, why)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def heal(self, now: float) -> None:
        """Try again what is still missing; to be called now and then."""
        for partition, continuity in list(self._stage.waiting()):
            # What is wanted may stand behind others, and another try would send it to the end again.
            held_back = self._app.consumer.flow().holds_back(self._rewound_at_bytes.get(partition, 0))
            if not held_back and continuity.rewind_due(now):
                self.rewind(partition)
        if self._missing:
            self._count_healed()

    def watch(self, lags: Mapping[int, int], now: float) -> Silence | None:
        """Read again the partitions of which records wait and none comes; to be called about once a second.

        Args:
            lags: Records that wait, by partition.
            now: A monotonic clock, in seconds.

        Returns:
            The longest silence, however short; None where nothing waits.
        """
        self._progress = {partition: self._progress.get(partition) or Progress(now) for partition in lags}
        flow = self._flow()
        silences = []
        for partition, lag in lags.items():
            continuity = self._stage.partitions[partition].continuity
            if continuity is not None:
                seconds = self._progress[partition].idle_seconds(lag, continuity.next_offset, now, flow)
                self._end_silence(partition, seconds)
                silences.append(Silence(partition, lag, seconds, self._source))
        return max(silences, key=lambda silence: silence.seconds, default=None)

    def _flow(self) -> Flow:
        """Say what the worker reads; where it takes nothing of that, nobody is held back."""
        taken = sum(live.continuity.next_offset for live in self._stage.partitions.values() if live.continuity)
        stands_still, self._taken = taken == self._taken, taken
        return Flow() if stands_still else self._app.consumer.flow()

    def _end_silence(self, partition: int, idle_seconds: float) -> None:
        if idle_seconds < SILENT_SECONDS:
            self._read_again_after[partition] = SILENT_SECONDS
        elif idle_seconds >= self._read_again_after[partition]:
            self._read_again_after[partition] = 2 * idle_seconds
            self.rewind(partition, f"it brings nothing for {idle_seconds:.0f} s")

    def _count_healed(self) -> None:
        """Count the missing records that have come; those of partitions that went elsewhere are forgotten."""
        for partition, offset in list(self._missing.items()):
            live = self._stage.partitions.get(partition)
            if live is None or live.continuity is None:
                del self._missing[partition]
            elif live.continuity.next_offset > offset:
                del self._missing[partition]
                self._figures.healed()

    async def _read_again(self, partition: int, why: str) -> None:
        tp = TP(self._topic_name, partition)
        if tp not in self._app.consumer.assignment():
            return
        earliest = await self._app.consumer.earliest_offsets(tp)
        self._stage.pass_loss(partition, earliest[tp])
        live = self._stage.partitions.get(partition)
        if live is None or live.continuity is None:
            return  # it went to another worker meanwhile
        wanted = live.continuity.next_offset
        _log.warning("%s-%d: %s: reading again from %d", self._source, partition, why, wanted)
        self._figures.rewound()
        self._missing[partition] = wanted
        await self._app.consumer.rewind(tp, wanted)
