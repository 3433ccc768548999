"""What the gateway says of itself on `service-status`, as every other part does."""

import time
from collections.abc import Callable

from prometheus_client.registry import Collector

from gateway.parts import Parts


class Reporting:
    """Counts since it last told: how many records came in and how many requests were answered each second."""

    def __init__(self, parts: Parts, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._clock = clock
        self._told_at, self._told = clock(), self._counts()

    def tell(self) -> None:
        """Put the figures on the status board; for every few seconds."""
        now, counts = self._clock(), self._counts()
        seconds = now - self._told_at
        way = self._parts.stage_times.stages()["prediction_to_gateway"]
        self._parts.board.set_figures(
            lag_records=int(_sum(self._parts.instruments.lag_records, "_records")),
            rates={name: (count - self._told[name]) / seconds for name, count in counts.items()},
            latency_seconds={
                name: value
                for name, value in {"p50": way.p50_seconds, "p99": way.p99_seconds}.items()
                if value is not None
            },
        )
        self._told_at, self._told = now, counts

    def _counts(self) -> dict[str, float]:
        instruments = self._parts.instruments
        return {
            "records": _sum(instruments.records_taken, "_total"),
            "requests": _sum(instruments.http_seconds, "_count"),
        }


def _sum(metric: Collector, ending: str) -> float:
    """Add up a metric over its labels."""
    samples = (sample for family in metric.collect() for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name.endswith(ending))
