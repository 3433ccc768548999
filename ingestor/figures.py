"""What the ingestor counts."""

from typing import get_args

from prometheus_client import REGISTRY, CollectorRegistry

from ingestor.sources.moments import Fault
from schemas import metrics


class Figures:
    """The metrics of one ingestor.

    Args:
        source: The name on its frames.
    """

    def __init__(self, source: str, registry: CollectorRegistry = REGISTRY) -> None:
        self._ticks = metrics.TICKS_INGESTED.counter(registry).labels(source)
        self._frames = metrics.FRAMES_INGESTED.counter(registry).labels(source)
        self._playing = metrics.SOURCES_PLAYING.gauge(registry).labels(source)
        self._allowed_silence = metrics.SOURCE_ALLOWED_SILENCE.gauge(registry).labels(source)
        self._dead_letters = metrics.DEAD_LETTERS.counter(registry)
        for code in get_args(Fault):
            self._dead_letters.labels(code)  # shown as 0 before there is one
        self.acknowledged_ticks = 0

    def expect_ticks(self, expected: bool, allowed_silence_seconds: float = 0.0) -> None:
        """Say whether a source that brings no ticks is mute, or has none to bring, and after how long it is."""
        self._playing.set(expected)
        self._allowed_silence.set(allowed_silence_seconds)

    def frame_acknowledged(self, ticks: int) -> None:
        """Count a frame that the broker has, and its ticks."""
        self.acknowledged_ticks += ticks
        self._ticks.inc(ticks)
        self._frames.inc()

    def rejected(self, code: Fault) -> None:
        """Count an input that is dead-lettered."""
        self._dead_letters.labels(code).inc()
