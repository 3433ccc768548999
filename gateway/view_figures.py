"""What the views say at the moment of a scrape; between two scrapes nothing is counted."""

from collections.abc import Iterator
from heapq import nlargest

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.entries import Entry
from gateway.parts import Parts
from schemas import metrics
from schemas.times import NS_PER_SECOND

#: Tickers whose age is shown: those that wait longest, from this age on.
OLDEST_TICKERS = 10
OLD_SECONDS = 60.0
_SHOWN = (metrics.READY, metrics.DATABASE_UP, metrics.REDIS_UP, metrics.NEWEST_AGE, metrics.OLDEST_AGES)


class ViewFigures(Collector):
    """Gauges of one gateway's views."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Give the names alone."""
        yield from (each.family() for each in _SHOWN)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give all of them as they are now."""
        yield metrics.READY.family({(): self._parts.board.is_well})
        yield metrics.DATABASE_UP.family({(): self._parts.archive.answers})
        redis = self._parts.redis.state
        yield metrics.REDIS_UP.family({(): None if redis is None else redis.up})
        yield from _ages(self._parts.latest.entries(), self._parts.clock_ns())


def _ages(entries: list[Entry], now_ns: int) -> Iterator[GaugeMetricFamily]:
    if not entries:
        return
    ages = [(max(0, now_ns - entry.ingested_at_ns) / NS_PER_SECOND, entry.ticker) for entry in entries]
    oldest = nlargest(OLDEST_TICKERS, ages)
    yield metrics.NEWEST_AGE.family({(): min(ages)[0]})
    yield metrics.OLDEST_AGES.family(
        {(ticker,): age_seconds for age_seconds, ticker in oldest if age_seconds >= OLD_SECONDS}
    )
