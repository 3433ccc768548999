"""What `/metrics` says of the trainer."""

from prometheus_client import REGISTRY, CollectorRegistry

from schemas.events import ModelAction, ModelEvent
from schemas.metrics import COMMANDS_WAITING, MODEL_DECISIONS, TRAINING_SECONDS, TRAININGS


class Figures:
    """The trainer's metrics."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._decisions = MODEL_DECISIONS.counter(registry)
        for action in ModelAction:
            self._decisions.labels(action.value)  # shown as 0 before there is one
        self._trainings = TRAININGS.counter(registry)
        for end in ("failed", "answered"):
            self._trainings.labels(end)  # shown as 0 before there is one
        self._seconds = TRAINING_SECONDS.histogram(registry)
        self._waiting = COMMANDS_WAITING.gauge(registry)

    def count_decision(self, event: ModelEvent) -> None:
        """Count a decision."""
        self._decisions.labels(event.action.value).inc()

    def count_training(self, *, failed: bool, seconds: float) -> None:
        """Count a training that ended."""
        self._trainings.labels("failed" if failed else "answered").inc()
        self._seconds.observe(seconds)

    def set_waiting(self, count: int) -> None:
        """Say how many trainings wait."""
        self._waiting.set(count)
