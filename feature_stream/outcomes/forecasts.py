"""The forecasts from callers' own prices that are not settled yet, of the tickers of one worker.

Nothing of them is in the table: who starts reads the topic again, and says again, with the same content, what was said.
"""

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
        self._tickers: dict[str, str] = {}  # by name, the oldest first
        self._open: dict[str, dict[str, OpenForecast]] = {}
        self._settled = metrics.FORECASTS_SETTLED.counter(registry)
        self._shown = metrics.OPEN_FORECASTS.gauge(registry)

    def __len__(self) -> int:
        """Count them."""
        return len(self._tickers)

    def clear(self) -> None:
        """Forget all: they are read again."""
        self._tickers.clear()
        self._open.clear()
        self._shown.set(0)

    def add(self, forecast: OpenForecast) -> None:
        """Keep one; where there are too many, forget the oldest."""
        if forecast.name in self._tickers:
            return
        self._tickers[forecast.name] = forecast.ticker
        self._open.setdefault(forecast.ticker, {})[forecast.name] = forecast
        if len(self) > self._most_open:
            self._remove(next(iter(self._tickers)))
            self._count(_FORGOTTEN)
        self._shown.set(len(self))

    def settle(self, ledger: TickerLedger, now_ns: int) -> Iterator[tuple[Outcome, str]]:
        """Settle those of a ticker that are due; give the outcomes, each with the forecast's traceparent."""
        for forecast in list(self._open.get(ledger.ticker, {}).values()):
            result = settle_forecast(ledger, forecast.forecast, self._rules, now_ns)
            if result is None:
                continue
            self._remove(forecast.name)
            if isinstance(result, Outcome):
                self._count(result.unscored_reason or _SCORED)
                yield result, forecast.traceparent
            else:
                self._count(result)

    def _remove(self, name: str) -> None:
        ticker = self._tickers.pop(name)
        theirs = self._open[ticker]
        del theirs[name]
        if not theirs:
            del self._open[ticker]
        self._shown.set(len(self))

    def _count(self, reason: str) -> None:
        self._settled.labels(reason).inc()
