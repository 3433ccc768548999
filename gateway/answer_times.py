"""Prometheus' histogram of answers, read back for people."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

from msgspec import Struct
from prometheus_client import Histogram

from schemas.public import Integer

_HEALTH = "/health"


class RouteTimes(Struct, frozen=True, kw_only=True):
    """The answers of one path, or of all (`*`), since the start.

    Attributes:
        p95_seconds: Between the bounds of the histogram's buckets.
        error_rate: Share of answers with a status from 500; that of `/health` which says "not ready" is none.
        refusal_rate: Share of answers with a status from 400 to 499.
    """

    path: str
    count: Integer
    average_seconds: float
    p95_seconds: float
    error_rate: float
    refusal_rate: float


@dataclass
class _Tally:
    count: float = 0.0
    sum_seconds: float = 0.0
    errors: float = 0.0
    refusals: float = 0.0
    buckets: dict[float, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, other: "_Tally") -> None:
        self.count += other.count
        self.sum_seconds += other.sum_seconds
        self.errors += other.errors
        self.refusals += other.refusals
        for bound, count in other.buckets.items():
            self.buckets[bound] += count


def route_times(histogram: Histogram) -> list[RouteTimes]:
    """Give all routes together, then each."""
    tallies = _tallies(histogram)
    together = _Tally()
    for tally in tallies.values():
        together.add(tally)
    return [_times("*", together), *(_times(path, tally) for path, tally in sorted(tallies.items()))]


def _tallies(histogram: Histogram) -> dict[str, _Tally]:
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    for metric in histogram.collect():
        for sample in metric.samples:
            tally, status = tallies[sample.labels["route"]], int(sample.labels["status"])
            if sample.name.endswith("_bucket"):
                tally.buckets[float(sample.labels["le"])] += sample.value
            elif sample.name.endswith("_sum"):
                tally.sum_seconds += sample.value
            elif sample.name.endswith("_count"):
                tally.count += sample.value
                tally.errors += sample.value if _is_error(sample.labels["route"], status) else 0
                tally.refusals += sample.value if HTTPStatus.BAD_REQUEST <= status < 500 else 0
    return tallies


def _is_error(route: str, status: int) -> bool:
    says_not_ready = status == HTTPStatus.SERVICE_UNAVAILABLE and route.startswith(_HEALTH)
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR and not says_not_ready


def _times(path: str, tally: _Tally) -> RouteTimes:
    count = max(1.0, tally.count)
    return RouteTimes(
        path=path,
        count=int(tally.count),
        average_seconds=tally.sum_seconds / count,
        p95_seconds=_quantile(sorted(tally.buckets.items()), 0.95 * tally.count),
        error_rate=tally.errors / count,
        refusal_rate=tally.refusals / count,
    )


def _quantile(cumulative: Iterable[tuple[float, float]], rank: float) -> float:
    """Give the time that `rank` answers were not above, as `histogram_quantile` does."""
    low, below = 0.0, 0.0
    for bound, count in cumulative:
        if count >= rank and count > below:
            return low if bound == float("inf") else low + (bound - low) * (rank - below) / (count - below)
        low, below = (bound if bound != float("inf") else low), count
    return low
