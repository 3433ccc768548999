"""What the predictor counts: its metrics, and the figures of its status."""

import time
from collections import Counter, deque
from collections.abc import Sequence

from prometheus_client import REGISTRY, CollectorRegistry

from predictor.degraded import REASONS
from schemas.events import Prediction
from schemas.metrics import (
    DEAD_LETTERS,
    DEGRADED,
    FEATURE_TO_PREDICTION,
    FORECAST_SECONDS,
    FORECASTS_MADE,
    LAG_RECORDS,
    MODEL_SWAPS,
    PREDICTION_BATCH,
    PREDICTION_SECONDS,
    PREDICTIONS_MADE,
)
from schemas.status import StatusBoard
from schemas.times import NS_PER_SECOND
from schemas.topics import FEATURES

_REPORT_EVERY_SECONDS = 1.0
_FORECAST_KINDS = ("arima", "statistical", "error", "dead_letter")


class Figures:
    """Counters of one predictor."""

    def __init__(self, board: StatusBoard, registry: CollectorRegistry = REGISTRY) -> None:
        self._board = board
        self._made = PREDICTIONS_MADE.counter(registry)
        self._degraded = DEGRADED.counter(registry)
        for reason in REASONS:
            self._degraded.labels(reason)  # shown as 0 before there is one
        self._feature_to_prediction = FEATURE_TO_PREDICTION.histogram(registry)
        self._model_seconds = PREDICTION_SECONDS.histogram(registry)
        self._batch = PREDICTION_BATCH.histogram(registry)
        self._swaps = MODEL_SWAPS.counter(registry)
        self._dead_letters = DEAD_LETTERS.counter(registry).labels("undecodable")  # shown as 0 before there is one
        self._forecasts = FORECASTS_MADE.counter(registry)
        for kind in _FORECAST_KINDS:
            self._forecasts.labels(kind)  # shown as 0 before there is one
        self._forecast_seconds = FORECAST_SECONDS.histogram(registry)
        self._lag = LAG_RECORDS.gauge(registry)
        self._newest_seconds: deque[float] = deque(maxlen=1_000)
        self._count = 0
        self._totals: Counter[str] = Counter(final=0, provisional=0, degraded=0, forecasts=0)
        self._reported_at = time.monotonic()

    def count_call(self, rows: int, seconds: float) -> None:
        """Count one model call."""
        self._batch.observe(rows)
        self._model_seconds.observe(seconds)

    def count_acknowledged(self, predictions: list[Prediction], seconds: float) -> None:
        """Count predictions that the broker has.

        Args:
            seconds: From the first record of the batch to the last acknowledgement.
        """
        for provisional, made in Counter(prediction.provisional for prediction in predictions).items():
            kind = "provisional" if provisional else "final"
            self._made.labels(kind).inc(made)
            self._totals[kind] += made
        for reason, degraded in Counter(prediction.degraded for prediction in predictions).items():
            if reason is not None:
                self._degraded.labels(reason).inc(degraded)
                self._totals["degraded"] += degraded
        now_ns = time.time_ns()
        self._feature_to_prediction.observe_all(
            [max(0, now_ns - prediction.featured_at_ns) / NS_PER_SECOND for prediction in predictions]
        )
        self._count += len(predictions)
        self._newest_seconds.append(seconds)

    def count_dead_letter(self) -> None:
        """Count an event that could not be understood."""
        self._dead_letters.inc()

    def count_forecasts(self, kinds: Sequence[str], seconds: float) -> None:
        """Count answers to requests that the broker has, by what answered.

        Args:
            seconds: From the first request of the batch to the last acknowledgement.
        """
        for kind in kinds:
            self._forecasts.labels(kind).inc()
            self._forecast_seconds.observe(seconds)
            self._totals["forecasts"] += 1

    def count_swap(self) -> None:
        """Count a model set swapped in, or out."""
        self._swaps.inc()

    def totals(self) -> dict[str, int]:
        """Count predictions and forecasts that the broker has, since the start."""
        return dict(self._totals)

    def due(self) -> bool:
        """Tell whether the status wants new figures."""
        return time.monotonic() - self._reported_at >= _REPORT_EVERY_SECONDS

    def report(self, lag_records: int) -> None:
        """Put the figures on the board."""
        now = time.monotonic()
        self._lag.labels(FEATURES.name).set(lag_records)
        rate = self._count / (now - self._reported_at)
        self._board.set_figures(
            lag_records=lag_records,
            rates={"predictions": round(rate, 1)},
            latency_seconds=quantiles(self._newest_seconds),
        )
        self._count, self._reported_at = 0, now


def quantiles(seconds: deque[float]) -> dict[str, float]:
    """Give p50 and p99 by nearest rank; empty where nothing was measured."""
    ordered = sorted(seconds)
    return {f"p{rank}": ordered[min(len(ordered) - 1, len(ordered) * rank // 100)] for rank in (50, 99) if ordered}
