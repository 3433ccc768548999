"""The stage's metrics."""

import time
from collections import deque

from prometheus_client import REGISTRY, CollectorRegistry

from feature_stream.advance import Absorbed
from schemas.events import Features
from schemas.metrics import (
    BARS_CLOSED,
    CHECKPOINT_SECONDS,
    DEAD_LETTERS,
    FEATURES_EMITTED,
    FRAMES_PASSED_OVER,
    GAPS_HEALED,
    LAG_RECORDS,
    RECORDS_LOST,
    TICK_TO_FEATURE,
    TICKS_ABSORBED,
)
from schemas.times import NS_PER_SECOND
from schemas.topics import TICKS

_LATENCIES_KEPT = 2_000


class StageFigures:
    """Counters of one process."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.ticks_total = 0
        self.checkpoint_seconds = CHECKPOINT_SECONDS.histogram(registry)
        self.gaps_healed = GAPS_HEALED.counter(registry)
        self.records_lost = RECORDS_LOST.counter(registry)
        self._ticks = TICKS_ABSORBED.counter(registry)
        self._bars = BARS_CLOSED.counter(registry)
        emitted = FEATURES_EMITTED.counter(registry)
        self._finals = emitted.labels("final")
        self._provisionals = emitted.labels("provisional")
        self._tick_to_feature = TICK_TO_FEATURE.histogram(registry)
        self._frames_passed_over = FRAMES_PASSED_OVER.counter(registry)
        self._dead_letters = DEAD_LETTERS.counter(registry)
        self._lag = LAG_RECORDS.gauge(registry).labels(TICKS.name)
        self._latencies: deque[float] = deque(maxlen=_LATENCIES_KEPT)

    def absorbed(self, absorbed: Absorbed, ingested_at_ns: int) -> None:
        """Count what a frame brought."""
        if absorbed.passed_over:
            self._frames_passed_over.inc()
        self.ticks_total += absorbed.ticks_absorbed
        self._ticks.inc(absorbed.ticks_absorbed)
        if absorbed.bars:
            self._bars.inc(len(absorbed.bars))
            self._finals.inc(len(absorbed.features))
            self._observe(time.time_ns() - ingested_at_ns)

    def spoke(self, features: Features) -> None:
        """Count a provisional feature event."""
        self._provisionals.inc()
        self._observe(features.featured_at_ns - features.ingested_at_ns)

    def dead_letter(self, reason: str) -> None:
        """Count an input that was dead-lettered, by the first word of why."""
        self._dead_letters.labels(reason.split(":", maxsplit=1)[0]).inc()

    def tell_lag(self, records: int) -> None:
        """Show how many records wait."""
        self._lag.set(records)

    def latency_seconds(self) -> dict[str, float]:
        """Give quantiles of the last times from ingestion to feature; none before there is one."""
        if not self._latencies:
            return {}
        ordered = sorted(self._latencies)
        return {f"p{share}": round(ordered[(len(ordered) - 1) * share // 100], 6) for share in (50, 99)}

    def _observe(self, latency_ns: int) -> None:
        latency = max(0, latency_ns) / NS_PER_SECOND
        self._tick_to_feature.observe(latency)
        self._latencies.append(latency)
