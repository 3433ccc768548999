"""What the gateway measures of itself as it runs, beside Prometheus' metrics."""

from collections import deque
from collections.abc import Iterable

from msgspec import Struct

from schemas.events import Prediction
from schemas.times import NS_PER_SECOND

#: Of the newest predictions; bounds what is kept.
KEPT = 2_000


class Times(Struct, frozen=True, kw_only=True):
    """Quantiles of the newest times, in seconds; null where none was measured."""

    count: int
    average_seconds: float | None
    p50_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None


def times_of(nanoseconds: Iterable[int]) -> Times:
    """Give the quantiles of times, by nearest rank."""
    ordered = sorted(nanoseconds)
    count = len(ordered)

    def rank(percent: int) -> float | None:
        return ordered[min(count - 1, count * percent // 100)] / NS_PER_SECOND if ordered else None

    return Times(
        count=count,
        average_seconds=sum(ordered) / count / NS_PER_SECOND if ordered else None,
        p50_seconds=rank(50),
        p95_seconds=rank(95),
        p99_seconds=rank(99),
    )


class StageTimes:
    """How long the newest predictions were under way, by stage."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, int, int, int]] = deque(maxlen=KEPT)

    def note(self, prediction: Prediction, now_ns: int) -> None:
        """Take a prediction that has just come."""
        self._marks.append((prediction.ingested_at_ns, prediction.featured_at_ns, prediction.predicted_at_ns, now_ns))

    def predicting_ns(self) -> list[int]:
        """Give the time from feature event to prediction of each."""
        return [max(0, predicted - featured) for _, featured, predicted, _ in self._marks]

    def stages(self) -> dict[str, Times]:
        """Give the quantiles of each stage, and of the whole way."""
        marks = self._marks
        return {
            "tick_to_feature": times_of(max(0, featured - ingested) for ingested, featured, _, _ in marks),
            "feature_to_prediction": times_of(self.predicting_ns()),
            "prediction_to_gateway": times_of(max(0, came - predicted) for _, _, predicted, came in marks),
            "tick_to_gateway": times_of(max(0, came - ingested) for ingested, _, _, came in marks),
        }


class MemoryFigures:
    """The memory of this process, as it was looked at now and then."""

    def __init__(self) -> None:
        self._sum_bytes = 0
        self._count = 0

    def note(self, resident_bytes: int) -> None:
        """Take a look."""
        self._sum_bytes += resident_bytes
        self._count += 1

    @property
    def average_bytes(self) -> int:
        """Give the mean of all looks; 0 before the first."""
        return self._sum_bytes // max(1, self._count)
