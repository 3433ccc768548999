"""Bytewax with our frames and our arithmetic: one stateful logic a partition, its tickers' snapshots at each epoch."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic

from benchmarks.feature_stage.workers.bytewax_run import (
    EventMessage,
    messages_of,
    run_flow,
    ticks_source,
)
from benchmarks.feature_stage.workers.bytewax_sink import EpochSink
from benchmarks.feature_stage.workers.counting import TickCount
from benchmarks.feature_stage.workers.fetching import FETCH_CONFIG
from benchmarks.feature_stage.workers.live_partition import LivePartition, rules_of
from feature_stream.advance import StageRules
from feature_stream.settings import FeatureStreamSettings
from schemas.service import collect_seldom, run_service

#: As the bare loop; a thousand frames, the source's default, would be half a second between two looks at the clock.
_BATCH_RECORDS = 128
_LOOK_EVERY = timedelta(milliseconds=10)

FrameMessage = KafkaSourceMessage[bytes, bytes]
Kept = tuple[int, dict[str, bytes]]


class Advance(StatefulBatchLogic[FrameMessage, EventMessage, Kept]):
    """One partition."""

    def __init__(self, settings: FeatureStreamSettings, rules: StageRules, count: TickCount, kept: Kept | None) -> None:
        self._settings = settings
        self._rules = rules
        self._count = count
        self._partition, self._kept = kept or (-1, {})
        self._live = None if kept is None else self._make()
        self._look_at: datetime | None = None

    def on_batch(self, values: list[FrameMessage]) -> tuple[Iterable[EventMessage], bool]:
        """Take frames."""
        if self._live is None:
            self._partition = values[0].partition or 0
            self._live = self._make()
        before = self._live.ticks_total
        events = self._live.take((message.offset or 0, message.value) for message in values)
        self._count.ticks += self._live.ticks_total - before
        events += self._live.due()
        self._look_at = datetime.now(UTC) + _LOOK_EVERY
        return messages_of(events, self._settings.topic_prefix), StatefulBatchLogic.RETAIN

    def notify_at(self) -> datetime | None:
        """Say when the clock is to be looked at."""
        return self._look_at

    def on_notify(self) -> tuple[Iterable[EventMessage], bool]:
        """Say what is due."""
        self._look_at = datetime.now(UTC) + _LOOK_EVERY
        events = [] if self._live is None else self._live.due()
        return messages_of(events, self._settings.topic_prefix), StatefulBatchLogic.RETAIN

    def snapshot(self) -> Kept:
        """Give all snapshots; only those of tickers that changed are made anew."""
        if self._live is not None:
            self._kept.update((ticker, snapshot) for ticker, _, snapshot in self._live.changed())
        return self._partition, self._kept.copy()

    def _make(self) -> LivePartition:
        return LivePartition(self._partition, self._rules, self._settings.update_interval_ms, dict(self._kept))


def run(settings: FeatureStreamSettings) -> None:
    """Run until a signal."""
    collect_seldom()
    count, rules = TickCount(settings), rules_of(settings)
    flow = Dataflow("frames")
    frames = op.input("frames", flow, ticks_source(settings, _BATCH_RECORDS, FETCH_CONFIG))
    keyed = op.key_on("by-partition", frames, lambda message: str(message.partition))
    events = op.stateful_batch("advance", keyed, lambda kept: Advance(settings, rules, count, kept))
    op.output("events", events, EpochSink(settings))
    run_flow(flow, settings)


if __name__ == "__main__":
    run_service("bytewax frames", FeatureStreamSettings, run)
