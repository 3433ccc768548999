"""The gateway's metrics."""

from collections import Counter as Counts
from collections.abc import Iterable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, generate_latest

from gateway.messages import Message
from schemas import metrics


class Instruments:
    """Every metric of the gateway, in one registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self.http_seconds = metrics.HTTP_SECONDS.histogram(registry)
        self.refused = metrics.REFUSED.counter(registry)
        self.clients = metrics.WEBSOCKET_CLIENTS.gauge(registry)
        self._sent = metrics.WEBSOCKET_SENT.counter(registry)
        self._sent_since: Counts[str] = Counts()
        self.conflated = metrics.WEBSOCKET_CONFLATED.counter(registry)
        self.tickers = metrics.TICKERS_KNOWN.gauge(registry)
        self.records_taken = metrics.RECORDS_TAKEN.counter(registry)
        self.lag_records = metrics.LAG_RECORDS.gauge(registry)
        answers = metrics.MEMORY_ANSWERS.counter(registry)
        self.ready_bytes = answers.labels("ready")
        self.made_bytes = answers.labels("made")
        forecasts = metrics.FORECAST_CACHE.counter(registry)
        self.forecast_hits = forecasts.labels("hit")
        self.forecast_misses = forecasts.labels("miss")
        self.dead_letters = metrics.DEAD_LETTERS.counter(registry)

    def count_sent(self, messages: Iterable[Message]) -> None:
        """Count messages that went out to clients, by their types; cheap, for there are many."""
        for message in messages:
            self._sent_since[message.kind] += 1

    def answers_from_memory(self) -> tuple[int, int]:
        """Count answers with bytes that were ready, and with bytes made for the request."""
        ready, made = (_value(counter) for counter in (self.ready_bytes, self.made_bytes))
        return ready, made

    def text(self) -> bytes:
        """Give everything in Prometheus' text format."""
        for kind, count in self._sent_since.items():
            self._sent.labels(kind).inc(count)
        self._sent_since.clear()
        return generate_latest(self._registry)


def _value(counter: Counter) -> int:
    metric = next(iter(counter.collect()))
    return int(next(sample.value for sample in metric.samples if sample.name.endswith("_total")))
