"""The stage's metrics. Cheap where it matters: whole numbers per frame, Prometheus once a micro-batch."""

import time
from collections import Counter

from prometheus_client import REGISTRY, CollectorRegistry

from feature_stream.advance import Absorbed
from feature_stream.ticks import Reason
from feature_stream.worker_figures import WorkerFigures, short_reason
from schemas import metrics
from schemas.times import NS_PER_SECOND
from schemas.topics import TICKS

#: The reason of a record that is no frame; others are those of ticks.
UNDECODABLE = "undecodable"


class StageFigures(WorkerFigures):
    """What one worker of the stage has done so far."""

    told = (
        "frames", "ticks", "bars", "finals", "provisionals", "dead_letters", "late", "early", "gaps", "rewinds",
        "gaps_healed", "records_lost",
    )  # fmt: skip

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        super().__init__(registry)
        emitted = metrics.FEATURES_EMITTED.counter(registry)
        self._counters = {
            "frames": metrics.FRAMES_ABSORBED.counter(registry),
            "ticks": metrics.TICKS_ABSORBED.counter(registry),
            "bars": metrics.BARS_CLOSED.counter(registry),
            "finals": emitted.labels("final"),
            "provisionals": emitted.labels("provisional"),
            "frames_passed_over": metrics.FRAMES_PASSED_OVER.counter(registry),
        }
        self._counted: Counter[str] = Counter()
        for reason in (UNDECODABLE, *map(short_reason, Reason)):
            self._dead_letters.labels(reason)  # shown as 0 before there is one
        self._tick_to_feature = metrics.TICK_TO_FEATURE.histogram(registry)
        self._tick_to_absorption = metrics.TICK_TO_ABSORPTION.histogram(registry)
        self._batch_frames = metrics.MICRO_BATCH_FRAMES.histogram(registry)
        self._batch_ticks = metrics.MICRO_BATCH_TICKS.histogram(registry)
        self._lag_records = metrics.LAG_RECORDS.gauge(registry).labels(TICKS.name)
        self._lag_seconds = metrics.LAG_SECONDS.gauge(registry).labels(TICKS.name)
        self._oldest_unsaid = metrics.OLDEST_UNSAID.gauge(registry)
        self._absorption_latencies: list[float] = []

    def absorbed(self, absorbed: Absorbed, ingested_at_ns: int) -> None:
        """Count what a frame brought."""
        totals = self.totals
        totals["frames"] += 1
        totals["ticks"] += absorbed.ticks_absorbed
        if absorbed.passed_over:
            totals["frames_passed_over"] += 1
        latency = max(0, time.time_ns() - ingested_at_ns) / NS_PER_SECOND
        self._absorption_latencies.append(latency)
        if absorbed.bars:
            totals["bars"] += len(absorbed.bars)
            totals["finals"] += len(absorbed.features)
            self._observe([latency])

    def spoke(self, ingested_at_ns: list[int], featured_at_ns: int) -> None:
        """Count provisional feature events made at one moment.

        Args:
            ingested_at_ns: Of each.
            featured_at_ns: Of all.
        """
        self.totals["provisionals"] += len(ingested_at_ns)
        self._observe([max(0, featured_at_ns - time_ns) / NS_PER_SECOND for time_ns in ingested_at_ns])

    def micro_batch(self) -> None:
        """Show what was counted since the last call."""
        frames = self.totals["frames"] - self._counted["frames"]
        if frames:
            self._tick_to_absorption.observe_all(self._absorption_latencies)
            self._absorption_latencies.clear()
            self._batch_frames.observe(frames)
            self._batch_ticks.observe(self.totals["ticks"] - self._counted["ticks"])
        for name, counter in self._counters.items():
            more = self.totals[name] - self._counted[name]
            if more:
                counter.inc(more)
                self._counted[name] += more

    def dead_letter(self, reason: str) -> None:
        """Count an input that was dead-lettered, by the first word of why."""
        super().dead_letter(reason)
        short = short_reason(reason)
        if short in (Reason.LATE, Reason.EARLY):
            self.totals[short] += 1

    def tell_lag(self, records: int, seconds: float) -> None:
        """Show how many records wait, and how long the oldest has."""
        self._lag_records.set(records)
        self._lag_seconds.set(seconds)

    def tell_work(self, partitions: int, oldest_unsaid_seconds: float) -> None:
        """Show how many partitions this worker owns, and how long news of a ticker has waited to be said."""
        self._partitions.set(partitions)
        self._oldest_unsaid.set(oldest_unsaid_seconds)

    def _observe(self, latencies: list[float]) -> None:
        self._tick_to_feature.observe_all(latencies)
        self._latencies.extend(latencies)
