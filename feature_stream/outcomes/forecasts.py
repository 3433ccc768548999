"""The forecasts from callers' own prices that are not settled yet, of the tickers of one worker.

Nothing of them is in the table: who starts reads the topic again, and says again, with the same content, what was said.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import REGISTRY, CollectorRegistry

from feature_stream.ledger import SettleRules, TickerLedger
from feature_stream.settle_forecast import settle_forecast
from schemas import metrics
from schemas.events import Forecast, Outcome

#: Of one worker; beyond it the oldest is forgotten. One takes some 2 KB.
MOST_OPEN = 10_000
_SCORED, _FORGOTTEN = "scored", "forgotten"


@dataclass(frozen=True, slots=True)
class OpenForecast:
    """A forecast that waits for the bar after it.

    Attributes:
        name: One for each content, so that one that was answered twice waits once.
    """

    ticker: str
    name: str
    forecast: Forecast
    traceparent: str


class ForecastBook:
    """Open forecasts by ticker."""

    def __init__(self, rules: SettleRules, most_open: int = MOST_OPEN, registry: CollectorRegistry = REGISTRY) -> None:
        self._rules = rules
        self._most_open = most_open
        self._places: dict[str, tuple[str, tuple[int, int]]] = {}  # by name, the oldest first: ticker and place
        self._open: dict[str, list[tuple[int, int, OpenForecast]]] = {}  # by place: what it began from, then by number
        self._number = 0
        self._settled = metrics.FORECASTS_SETTLED.counter(registry)
        self._settled.labels(_SCORED)  # shown as 0 before there is one
        self._shown = metrics.OPEN_FORECASTS.gauge(registry)

    def __len__(self) -> int:
        """Count them."""
        return len(self._places)

    def clear(self) -> None:
        """Forget all: they are read again."""
        self._places.clear()
        self._open.clear()
        self._shown.set(0)

    def add(self, forecast: OpenForecast) -> None:
        """Keep one; where there are too many, forget the oldest."""
        if forecast.name in self._places:
            return
        self._number += 1
        place = (self._began_ns(forecast.forecast), self._number)
        self._places[forecast.name] = (forecast.ticker, place)
        insort(self._open.setdefault(forecast.ticker, []), (*place, forecast))
        if len(self) > self._most_open:
            self._forget(next(iter(self._places)))
        self._shown.set(len(self))

    def settle(self, ledger: TickerLedger, now_ns: int) -> Iterator[tuple[Outcome, str]]:
        """Settle those of a ticker that are due; give the outcomes, each with the forecast's traceparent."""
        for forecast in self._due(ledger):
            result = settle_forecast(ledger, forecast.forecast, self._rules, now_ns)
            if isinstance(result, Outcome):
                self._count(result.unscored_reason or _SCORED)
                yield result, forecast.traceparent
            elif result is not None:
                self._count(result)

    def _began_ns(self, forecast: Forecast) -> int:
        """Say from when on a bar settles a forecast; one of another interval waits for none."""
        return -1 if forecast.as_of_ns is None or forecast.interval != self._rules.interval else forecast.as_of_ns

    def _due(self, ledger: TickerLedger) -> list[OpenForecast]:
        """Take out those that began before the newest close; the others cost nothing, however many wait."""
        theirs = self._open.get(ledger.ticker)
        if not theirs or not ledger.closes:
            return []
        count = bisect_left(theirs, (ledger.closes[-1].end_ns,))
        due = [forecast for *_, forecast in theirs[:count]]
        del theirs[:count]
        for forecast in due:
            del self._places[forecast.name]
        if not theirs:
            del self._open[ledger.ticker]
        self._shown.set(len(self))
        return due

    def _forget(self, name: str) -> None:
        ticker, place = self._places.pop(name)
        theirs = self._open[ticker]
        del theirs[bisect_left(theirs, place)]
        if not theirs:
            del self._open[ticker]
        self._count(_FORGOTTEN)

    def _count(self, reason: str) -> None:
        self._settled.labels(reason).inc()
