"""The gateway's metrics."""

from collections import Counter as Counts
from collections import defaultdict
from collections.abc import Iterable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, generate_latest
from prometheus_client.registry import Collector

from gateway.messages import Message
from schemas import metrics
from schemas.close_codes import CloseCode

# What a connection's end is counted by where the gateway did not end it.
_BY_CLIENT = "client"
_OBSERVED_TOGETHER = 512
_PREDICTION = "prediction"


class Instruments:
    """Every metric of the gateway, in one registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self._http_seconds = metrics.HTTP_SECONDS.histogram(registry)
        self._answered_since: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
        self.refused = metrics.REFUSED.counter(registry)
        self.clients = metrics.WEBSOCKET_CLIENTS.gauge(registry)
        self._sent = metrics.WEBSOCKET_SENT.counter(registry)
        self._sent_since: Counts[str] = Counts()
        self.conflated = metrics.WEBSOCKET_CONFLATED.counter(registry)
        self._closed = metrics.WEBSOCKET_CLOSED.counter(registry)
        for code in (*map(str, map(int, CloseCode)), _BY_CLIENT):
            self._closed.labels(code)  # shown as 0 before there is one
        self.round_seconds = metrics.ROUND_SECONDS.histogram(registry)
        self.tickers = metrics.TICKERS_KNOWN.gauge(registry)
        self.records_taken = metrics.RECORDS_TAKEN.counter(registry)
        self.tick_to_gateway = metrics.TICK_TO_GATEWAY.histogram(registry)
        self.lag_records = metrics.LAG_RECORDS.gauge(registry)
        answers = metrics.MEMORY_ANSWERS.counter(registry)
        self.ready_bytes = answers.labels("ready")
        self.made_bytes = answers.labels("made")
        forecasts = metrics.FORECAST_CACHE.counter(registry)
        self.forecast_hits = forecasts.labels("hit")
        self.forecast_misses = forecasts.labels("miss")
        self.answer_cache = metrics.ANSWER_CACHE.counter(registry)
        self.redis_calls = metrics.REDIS_CALLS.counter(registry)
        for result in ("answered", "refused", "failed"):
            self.redis_calls.labels(result)
        self.dead_letters = metrics.DEAD_LETTERS.counter(registry)
        self.dead_letters.labels("undecodable")  # shown as 0 before there is one

    def show(self, collector: Collector) -> None:
        """Let something be asked for its figures at every scrape."""
        self._registry.register(collector)

    def count_sent(self, messages: Iterable[Message]) -> None:
        """Count messages that went out to clients, by their types; cheap, for there are many."""
        for message in messages:
            self._sent_since[message.kind] += 1

    def count_closed(self, code: CloseCode | None) -> None:
        """Count a client's connection that ended; None: it was not the gateway that ended it."""
        self._closed.labels(_BY_CLIENT if code is None else str(int(code))).inc()

    def count_answer(self, route: str, status: int, seconds: float) -> None:
        """Count an answer and how long it took; to observe many together costs a tenth."""
        waiting = self._answered_since[route, status]
        waiting.append(seconds)
        if len(waiting) >= _OBSERVED_TOGETHER:
            self._observe()

    def _observe(self) -> None:
        for (route, status), seconds in self._answered_since.items():
            self._http_seconds.labels(route, status).observe_all(seconds)
        self._answered_since.clear()

    @property
    def http_seconds(self) -> metrics.Histogram:
        """Give how long answers took, all that were counted."""
        self._observe()
        return self._http_seconds

    def answers_from_memory(self) -> tuple[int, int]:
        """Count answers with bytes that were ready, and with bytes made for the request."""
        ready, made = (_value(counter) for counter in (self.ready_bytes, self.made_bytes))
        return ready, made

    def database_answers(self) -> dict[str, tuple[int, int]]:
        """Count answers by path that were kept somewhere, and those that the database was asked for."""
        found: dict[str, tuple[int, int]] = {}
        for sample in next(iter(self.answer_cache.collect())).samples:
            if sample.name.endswith("_total"):
                hits, misses = found.get(sample.labels["path"], (0, 0))
                missed, count = sample.labels["result"] == "miss", int(sample.value)
                found[sample.labels["path"]] = (hits, misses + count) if missed else (hits + count, misses)
        return dict(sorted(found.items()))

    def totals(self) -> dict[str, int]:
        """Count what was answered, sent and refused since the start, and where answers came from."""
        ready, made = self.answers_from_memory()
        kept = self.database_answers().values()
        by_status = _by_label(self.http_seconds, "status", "_count")
        return {
            "answers": sum(by_status.values()),
            "server_errors": sum(count for status, count in by_status.items() if status.startswith("5")),
            "refused": sum(_by_label(self.refused, "reason", "_total").values()),
            "predictions_from_memory": ready + made,
            "predictions_sent": _by_label(self._sent, "type", "_total").get(_PREDICTION, 0)
            + self._sent_since[_PREDICTION],
            "cache_hits": sum(hits for hits, _ in kept),
            "cache_misses": sum(misses for _, misses in kept),
            "forecast_cache_hits": _value(self.forecast_hits),
            "forecast_cache_misses": _value(self.forecast_misses),
        }

    def text(self) -> bytes:
        """Give everything in Prometheus' text format."""
        for kind, count in self._sent_since.items():
            self._sent.labels(kind).inc(count)
        self._sent_since.clear()
        self._observe()
        return generate_latest(self._registry)


def _by_label(metric: Counter | metrics.Histogram, label: str, ending: str) -> Counts[str]:
    counts: Counts[str] = Counts()
    for sample in next(iter(metric.collect())).samples:
        if sample.name.endswith(ending):
            counts[sample.labels[label]] += int(sample.value)
    return counts


def _value(counter: Counter) -> int:
    metric = next(iter(counter.collect()))
    return int(next(sample.value for sample in metric.samples if sample.name.endswith("_total")))
