"""What every worker of a Faust app tells of itself."""

from collections import Counter, deque
from typing import ClassVar

from prometheus_client import CollectorRegistry

from schemas import metrics

_LATENCIES_KEPT = 2_000


def short_reason(reason: str) -> str:
    """Give the first word of why an input is dead-lettered: one of few."""
    return reason.split(":", maxsplit=1)[0]


class WorkerFigures:
    """What one process has done so far.

    Attributes:
        told: Names of the totals that `service-status` tells of.
        totals: Since its start, by name.
    """

    told: ClassVar[tuple[str, ...]]

    def __init__(self, registry: CollectorRegistry) -> None:
        self.totals: Counter[str] = Counter()
        self.checkpoint_seconds = metrics.CHECKPOINT_SECONDS.histogram(registry)
        self.checkpoint_part_seconds = metrics.CHECKPOINT_PART_SECONDS.histogram(registry)
        self.recovery_seconds = metrics.RECOVERY_SECONDS.histogram(registry)
        self._gaps = metrics.GAPS.counter(registry)
        self._gaps_healed = metrics.GAPS_HEALED.counter(registry)
        self._rewinds = metrics.REWINDS.counter(registry)
        self._records_lost = metrics.RECORDS_LOST.counter(registry)
        self._dead_letters = metrics.DEAD_LETTERS.counter(registry)
        self._partitions = metrics.PARTITIONS_OWNED.gauge(registry)
        self._latencies: deque[float] = deque(maxlen=_LATENCIES_KEPT)

    def dead_letter(self, reason: str) -> None:
        """Count an input that was dead-lettered, by the first word of why."""
        self._dead_letters.labels(short_reason(reason)).inc()
        self.totals["dead_letters"] += 1

    def gap(self) -> None:
        """Count a record that did not follow the last one."""
        self._gaps.inc()
        self.totals["gaps"] += 1

    def healed(self) -> None:
        """Count a gap whose missing records were read after all."""
        self._gaps_healed.inc()
        self.totals["gaps_healed"] += 1

    def rewound(self) -> None:
        """Count a partition that is read again."""
        self._rewinds.inc()
        self.totals["rewinds"] += 1

    def lost(self, records: int) -> None:
        """Count records that the log no longer holds."""
        self._records_lost.inc(records)
        self.totals["records_lost"] += records

    def all_totals(self) -> dict[str, int]:
        """Give what happened since the start, by name, with what happened never as 0."""
        return {name: self.totals[name] for name in self.told}

    def latency_seconds(self) -> dict[str, float]:
        """Give quantiles of the last times from an input to what became of it; none before there is one."""
        if not self._latencies:
            return {}
        ordered = sorted(self._latencies)
        return {f"p{share}": round(ordered[(len(ordered) - 1) * share // 100], 6) for share in (50, 99)}
