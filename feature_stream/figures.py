"""The stage's metrics."""

import time

from feature_stream.advance import Absorbed
from schemas.events import Features
from schemas.metrics import (
    BARS_CLOSED,
    CHECKPOINT_SECONDS,
    FEATURES_EMITTED,
    GAPS_HEALED,
    RECORDS_LOST,
    TICK_TO_FEATURE,
    TICKS_ABSORBED,
)
from schemas.times import NS_PER_SECOND


class StageFigures:
    """Counters of one process."""

    def __init__(self) -> None:
        self.ticks_total = 0
        self.checkpoint_seconds = CHECKPOINT_SECONDS.histogram()
        self.gaps_healed = GAPS_HEALED.counter()
        self.records_lost = RECORDS_LOST.counter()
        self._ticks = TICKS_ABSORBED.counter()
        self._bars = BARS_CLOSED.counter()
        emitted = FEATURES_EMITTED.counter()
        self._finals = emitted.labels("final")
        self._provisionals = emitted.labels("provisional")
        self._tick_to_feature = TICK_TO_FEATURE.histogram()

    def absorbed(self, absorbed: Absorbed, ingested_at_ns: int) -> None:
        """Count what a frame brought."""
        self.ticks_total += absorbed.ticks_absorbed
        self._ticks.inc(absorbed.ticks_absorbed)
        if absorbed.bars:
            self._bars.inc(len(absorbed.bars))
            self._finals.inc(len(absorbed.features))
            self._tick_to_feature.observe(max(0, time.time_ns() - ingested_at_ns) / NS_PER_SECOND)

    def spoke(self, features: Features) -> None:
        """Count a provisional feature event."""
        self._provisionals.inc()
        self._tick_to_feature.observe(max(0, features.featured_at_ns - features.ingested_at_ns) / NS_PER_SECOND)
