"""What the views and the board say at the moment of a scrape; between two scrapes nothing is counted."""

from collections.abc import Iterator
from heapq import nlargest

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.entries import Entry
from gateway.parts import Parts
from schemas import metrics
from schemas.events import Scoreboard
from schemas.times import NS_PER_SECOND

#: Tickers whose age is shown: those that wait longest, from this age on.
OLDEST_TICKERS = 10
OLD_SECONDS = 60.0
_SHOWN = (
    metrics.READY, metrics.DATABASE_UP, metrics.NEWEST_AGE, metrics.OLDEST_AGES,
    metrics.COVERAGE, metrics.SETTLED_DATES, metrics.DRIFT_DATES, metrics.RETRAINS_ASKED,
)  # fmt: skip
_DRIFT_TESTS = ("error", "loss")


class ViewFigures(Collector):
    """Gauges of one gateway's views."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Give the names alone."""
        yield from (each.family() for each in _SHOWN)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give all of them as they are now."""
        ready = metrics.READY.family()
        ready.add_metric((), self._parts.board.is_well)
        yield ready
        database = metrics.DATABASE_UP.family()
        database.add_metric((), self._parts.archive.answers)
        yield database
        yield from _ages(self._parts.latest.entries(), self._parts.clock_ns())
        board = self._parts.scores.get()
        if board is not None:
            yield from _coverage(board)
            yield from _drift(board)


def _ages(entries: list[Entry], now_ns: int) -> Iterator[GaugeMetricFamily]:
    if not entries:
        return
    newest, oldest = metrics.NEWEST_AGE.family(), metrics.OLDEST_AGES.family()
    ages = [(max(0, now_ns - entry.ingested_at_ns) / NS_PER_SECOND, entry.ticker) for entry in entries]
    newest.add_metric((), min(ages)[0])
    for age_seconds, ticker in nlargest(OLDEST_TICKERS, ages):
        if age_seconds >= OLD_SECONDS:
            oldest.add_metric((ticker,), age_seconds)
    yield newest
    yield oldest


def _coverage(board: Scoreboard) -> Iterator[GaugeMetricFamily]:
    coverage, dates = metrics.COVERAGE.family(), metrics.SETTLED_DATES.family()
    for score in board.horizons:
        horizon = str(score.horizon)
        dates.add_metric((horizon,), score.settled_dates)
        for level, share in (("95", score.coverage_95), ("99", score.coverage_99)):
            if share is not None:
                coverage.add_metric((horizon, level), share)
    yield coverage
    yield dates


def _drift(board: Scoreboard) -> Iterator[GaugeMetricFamily]:
    dates, asked = metrics.DRIFT_DATES.family(), metrics.RETRAINS_ASKED.family()
    for test in _DRIFT_TESTS:
        dates.add_metric((test,), int(board.drift.get(f"{test}_dates", 0)))
    asked.add_metric((), board.drift.get("retrain") == "asked")
    yield dates
    yield asked
