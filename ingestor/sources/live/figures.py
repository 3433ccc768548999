"""What live sources count."""

from copy import copy

from prometheus_client import REGISTRY, CollectorRegistry

from schemas import metrics


class LiveFigures:
    """The metrics of one provider."""

    def __init__(self, source: str, registry: CollectorRegistry = REGISTRY) -> None:
        self._source = source
        self._requests = metrics.SOURCE_REQUESTS.counter(registry)
        self._left = metrics.SOURCE_REQUESTS_LEFT.gauge(registry)
        self._connections_lost = metrics.SOURCE_CONNECTIONS_LOST.counter(registry)
        self._passed_over = metrics.SOURCE_TICKS_PASSED_OVER.counter(registry)
        self._filled = metrics.SOURCE_BARS_FILLED.counter(registry)
        self._splits = metrics.SOURCE_SPLITS.counter(registry)
        self._gaps = metrics.SOURCE_GAPS.counter(registry)
        self._plays = metrics.SOURCE_PLAYS.gauge(registry)
        self._hand_overs = metrics.SOURCE_HAND_OVERS.counter(registry)

    def of(self, source: str) -> "LiveFigures":
        """Give those of another provider: a registry has each metric once."""
        other = copy(self)
        other._source = source
        return other

    def request(self, result: str, left_today: int | None) -> None:
        """Count a request: `answered`, `failed`, `refused`, or `withheld` for the budget."""
        self._requests.labels(self._source, result).inc()
        if left_today is not None:
            self._left.labels(self._source).set(left_today)

    def connection_lost(self, reason: str) -> None:
        """Count a connection that ended: `away`, `mute` or `refused`."""
        self._connections_lost.labels(self._source, reason).inc()

    def passed_over(self, reason: str) -> None:
        """Count a tick that had gone out already: `again`, or `filled` by the bars of history."""
        self._passed_over.labels(self._source, reason).inc()

    def scale(self, result: str, tickers: int = 1) -> None:
        """Count tickers whose scale changed, or may have: `told`, `unclear` or `unknown`."""
        self._splits.labels(self._source, result).inc(tickers)

    def gap(self, result: str, bars: int = 0) -> None:
        """Count a gap: `filled` with so many bars, or `unfilled`."""
        self._gaps.labels(self._source, result).inc()
        self._filled.labels(self._source).inc(bars)

    def plays(self, plays: bool) -> None:
        """Say whether its ticks are those that are played."""
        self._plays.labels(self._source).set(plays)

    def took_over(self, before: str, reason: str) -> None:
        """Count that it took over from another one."""
        self._hand_overs.labels(before, self._source, reason).inc()
