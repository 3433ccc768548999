"""The gateway's metrics."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from schemas import metrics


class Instruments:
    """Every metric of the gateway, in one registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self.http_seconds = metrics.HTTP_SECONDS.histogram(registry)
        self.clients = metrics.WEBSOCKET_CLIENTS.gauge(registry)
        self.sent = metrics.WEBSOCKET_SENT.counter(registry)
        self.conflated = metrics.WEBSOCKET_CONFLATED.counter(registry)
        self.tickers = metrics.TICKERS_KNOWN.gauge(registry)
        self.lag_records = metrics.LAG_RECORDS.gauge(registry)
        answers = metrics.MEMORY_ANSWERS.counter(registry)
        self.ready_bytes = answers.labels("ready")
        self.made_bytes = answers.labels("made")
        self.dead_letters = metrics.DEAD_LETTERS.counter(registry)

    def count_sent(self, kinds: Iterable[str]) -> None:
        """Count messages that went out to clients, by their types."""
        for kind, count in Counter(kinds).items():
            self.sent.labels(kind).inc(count)

    def text(self) -> bytes:
        """Give everything in Prometheus' text format."""
        return generate_latest(self._registry)
