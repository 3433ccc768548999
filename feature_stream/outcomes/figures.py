"""What the settling of predictions tells of itself."""

import time
from collections import Counter, deque
from collections.abc import Mapping

from prometheus_client import REGISTRY, CollectorRegistry

from feature_stream.settle import PassedOver, Settled
from feature_stream.turns import Side
from schemas import metrics
from schemas.events import Outcome
from schemas.times import NS_PER_SECOND

_LATENCIES_KEPT = 2_000
#: What `service-status` tells of; rates of the first three.
_TOLD = ("bars", "predictions", "outcomes", "unscored", "passed_over", "dead_letters", "gaps", "rewinds")
RATES = _TOLD[:3]
_SCORED = "scored"


class SettleFigures:
    """What one process has done so far; `totals` since its start, by name."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.totals: Counter[str] = Counter()
        self.checkpoint_seconds = metrics.CHECKPOINT_SECONDS.histogram(registry)
        self.checkpoint_part_seconds = metrics.CHECKPOINT_PART_SECONDS.histogram(registry)
        self.recovery_seconds = metrics.RECOVERY_SECONDS.histogram(registry)
        self.gaps_healed = metrics.GAPS_HEALED.counter(registry)
        self._records_lost = metrics.RECORDS_LOST.counter(registry)
        self._gaps = metrics.GAPS.counter(registry)
        self._rewinds = metrics.REWINDS.counter(registry)
        self._dead_letters = metrics.DEAD_LETTERS.counter(registry)
        self._outcomes = metrics.OUTCOMES_SETTLED.counter(registry)
        self._passed_over = metrics.SETTLING_PASSED_OVER.counter(registry)
        for reason in PassedOver:
            self._passed_over.labels(reason)  # shown as 0 before there is one
        self._outcome_seconds = metrics.BAR_TO_OUTCOME.histogram(registry)
        self._partitions = metrics.PARTITIONS_OWNED.gauge(registry)
        self._open = metrics.OPEN_PREDICTIONS.gauge(registry)
        self._held = metrics.HELD_RECORDS.gauge(registry)
        self._lag_records = metrics.LAG_RECORDS.gauge(registry)
        self._lag_seconds = metrics.LAG_SECONDS.gauge(registry)
        self._latencies: deque[float] = deque(maxlen=_LATENCIES_KEPT)

    def absorbed(self, side: Side, settled: Settled) -> None:
        """Count what a record brought."""
        self.totals[side.value] += 1
        self.totals["records"] += 1
        for outcome in settled.outcomes:
            self._settled(outcome)
        for reason, count in settled.passed_over.items():
            self.totals["passed_over"] += count
            self._passed_over.labels(reason).inc(count)

    def settled_after(self, closed_at_ns: int) -> None:
        """Note how long after the close of its last bar an outcome was sent."""
        seconds = max(0, time.time_ns() - closed_at_ns) / NS_PER_SECOND
        self._outcome_seconds.observe(seconds)
        self._latencies.append(seconds)

    def dead_letter(self, reason: str) -> None:
        """Count an input that was dead-lettered."""
        self._dead_letters.labels(reason.split(":", maxsplit=1)[0]).inc()
        self.totals["dead_letters"] += 1

    def gap(self) -> None:
        """Count a record that did not follow the last one."""
        self._gaps.inc()
        self.totals["gaps"] += 1

    def rewound(self) -> None:
        """Count a partition that is read again."""
        self._rewinds.inc()
        self.totals["rewinds"] += 1

    def lost(self, records: int) -> None:
        """Count records that the log no longer holds."""
        self._records_lost.inc(records)
        self.totals["records_lost"] += records

    def tell_lag(self, records: Mapping[Side, int], seconds: Mapping[Side, float]) -> None:
        """Show how many records of each log are not absorbed, and how old the oldest is."""
        for side in Side:
            self._lag_records.labels(side.value).set(records[side])
            self._lag_seconds.labels(side.value).set(seconds[side])

    def tell_work(self, partitions: int, open_predictions: int, held: Mapping[Side, int]) -> None:
        """Show what this worker holds, and how many records that were read wait for the other log."""
        self._partitions.set(partitions)
        self._open.set(open_predictions)
        for side in Side:
            self._held.labels(side.value).set(held[side])

    def all_totals(self) -> dict[str, int]:
        """Give what happened since the start, by name, with what happened never as 0."""
        return {name: self.totals[name] for name in (*_TOLD, "records_lost")}

    def latency_seconds(self) -> dict[str, float]:
        """Give quantiles of the last times from a bar's close to its outcomes; none before there is one."""
        if not self._latencies:
            return {}
        ordered = sorted(self._latencies)
        return {f"p{share}": round(ordered[(len(ordered) - 1) * share // 100], 6) for share in (50, 99)}

    def _settled(self, outcome: Outcome) -> None:
        self.totals["outcomes"] += 1
        self.totals["unscored"] += not outcome.scored
        self._outcomes.labels(outcome.unscored_reason or _SCORED).inc()
