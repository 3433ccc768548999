"""What the settling of predictions tells of itself."""

import time
from collections.abc import Mapping

from prometheus_client import REGISTRY, CollectorRegistry

from feature_stream.outcomes.events import Problem
from feature_stream.settle import PassedOver, Settled
from feature_stream.turns import Side
from feature_stream.worker_figures import WorkerFigures
from schemas import metrics
from schemas.events import Outcome
from schemas.times import NS_PER_SECOND

#: The totals of which `service-status` tells rates too.
RATES = ("bars", "predictions", "outcomes")
_SCORED = "scored"


class SettleFigures(WorkerFigures):
    """What one worker of the desk has done so far."""

    told = (*RATES, "unscored", "passed_over", "dead_letters", "gaps", "rewinds", "records_lost")

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        super().__init__(registry)
        for problem in Problem:
            self._dead_letters.labels(problem)  # shown as 0 before there is one
        self._outcomes = metrics.OUTCOMES_SETTLED.counter(registry)
        self._outcomes.labels(_SCORED)
        self._passed_over = metrics.SETTLING_PASSED_OVER.counter(registry)
        for reason in PassedOver:
            self._passed_over.labels(reason)
        self._outcome_seconds = metrics.BAR_TO_OUTCOME.histogram(registry)
        self._open = metrics.OPEN_PREDICTIONS.gauge(registry)
        self._held = metrics.HELD_RECORDS.gauge(registry)
        self._lag_records = metrics.LAG_RECORDS.gauge(registry)
        self._lag_seconds = metrics.LAG_SECONDS.gauge(registry)

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

    def _settled(self, outcome: Outcome) -> None:
        self.totals["outcomes"] += 1
        self.totals["unscored"] += not outcome.scored
        self._outcomes.labels(outcome.unscored_reason or _SCORED).inc()
