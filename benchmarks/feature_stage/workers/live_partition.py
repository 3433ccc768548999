"""Our arithmetic over one partition of frames, with no broker in it: what every frame contestant calls."""

import time
from collections.abc import Iterable, Iterator

from benchmarks.feature_stage.workers.events import Event
from feature_stream.advance import StageRules, absorb, provisionals, to_send
from feature_stream.frames import read_frame
from feature_stream.pacing import Pacer
from feature_stream.quiet_lane import QuietLane
from feature_stream.settings import FeatureStreamSettings
from feature_stream.state import PartitionState, TickerState
from schemas.events import Features

#: Names a partition's own record among its tickers'; no ticker begins with it.
RECORD_KEY = "@"


def rules_of(settings: FeatureStreamSettings) -> StageRules:
    """Give the rules that all share."""
    return StageRules(interval=settings.interval, partitions=settings.partitions)


class LivePartition:
    """Frames in, events out, and the snapshots of what changed since the last checkpoint.

    Attributes:
        ticks_total: Absorbed in this life.
    """

    def __init__(self, partition: int, rules: StageRules, update_interval_ms: int, kept: dict[str, bytes]) -> None:
        record = kept.pop(RECORD_KEY, None)
        self.ticks_total = 0
        self._rules = rules
        self._pacer = Pacer(update_interval_ms / 1_000)
        self._record = PartitionState(partition) if record is None else PartitionState.restore(record)
        self._states = {ticker: TickerState.restore(snapshot) for ticker, snapshot in kept.items()}
        self._lane = QuietLane(self._states)
        self._dirty: set[str] = set()
        self._touched: dict[str, None] = {}

    def take(self, records: Iterable[tuple[int, bytes]]) -> list[Event]:
        """Absorb a batch of (offset, frame); closed bars and final features come out."""
        events: list[Event] = []
        for offset, value in records:
            frame = read_frame(value)
            out = absorb(self._record, self._states, frame, offset, self._rules, time.time_ns(), self._lane)
            events += out.bars
            events += (to_send(features, self._states[features.ticker]) for features in out.features)
            self._dirty |= out.dirty
            self._touched.update(dict.fromkeys(out.touched))
            self.ticks_total += out.ticks_absorbed
        return events

    def due(self) -> list[Features]:
        """Give the provisional features that may be said now; to be asked after a batch, and every few milliseconds."""
        now = time.monotonic()
        self._touched.update(dict.fromkeys(self._lane.take_touched()))
        speaking = [*self._pacer.touch(self._touched, now), *self._pacer.due(now)]
        self._touched.clear()
        self._lane.settle(speaking)
        states = (self._states[ticker] for ticker in speaking)
        return list(provisionals(states, self._record.partition, self._rules, time.time_ns()))

    def changed(self) -> Iterator[tuple[str, int, bytes]]:
        """Give (ticker, offset, snapshot) of every ticker that changed since the last call, then the record."""
        self._lane.settle_all()
        self._dirty.update(self._lane.take_dirty())
        for ticker in self._dirty:
            state = self._states[ticker]
            yield ticker, state.offset, state.snapshot()
        self._dirty.clear()
        yield RECORD_KEY, self._record.offset, self._record.snapshot()
