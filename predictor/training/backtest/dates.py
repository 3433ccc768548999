"""Bars at rest to the events that the stage would have sent of them, date after date."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from typing import NamedTuple

from feature_stream.offline import FeatureRow, feature_rows
from ingestor.sources.bars import BarColumns
from predictor.training.row_events import bar_so_far, final_event
from schemas.events import Bar, BarSoFar, Features
from schemas.identity import bar_id
from schemas.times import Interval

_SOURCE = "backtest"


class Closed(NamedTuple):
    """One closed bar of a ticker, as the stage speaks of it."""

    bar: Bar
    features: Features


@dataclass(frozen=True, slots=True)
class Date:
    """All bars that end at one time."""

    end_ns: int
    closed: list[Closed]


def dates_of(bars: Mapping[str, BarColumns], interval: Interval, from_ns: int) -> Iterator[Date]:
    """Give the dates whose bars start at a time or later; what lies before only fills the features' windows.

    Args:
        bars: By ticker, from the first one of the history on: the recursive averages begin there.
    """
    streams = [_closed_bars(ticker, columns, interval, from_ns) for ticker, columns in sorted(bars.items())]
    for end_ns, closed in groupby(merge(*streams, key=_end_ns), key=_end_ns):
        yield Date(end_ns, list(closed))


def _end_ns(closed: Closed) -> int:
    return closed.bar.end_ns


def _closed_bars(ticker: str, columns: BarColumns, interval: Interval, from_ns: int) -> Iterator[Closed]:
    prices = (columns.open, columns.high, columns.low, columns.close, columns.volume)
    for at, row in enumerate(feature_rows(interval, columns.start_ns, *prices)):
        if row.start_ns >= from_ns:
            so_far = bar_so_far(columns, at, row)
            yield Closed(_bar(ticker, interval, row, so_far), final_event(ticker, interval, row, so_far))


def _bar(ticker: str, interval: Interval, row: FeatureRow, so_far: BarSoFar) -> Bar:
    return Bar(
        id=bar_id(ticker, interval, row.start_ns),
        ticker=ticker,
        interval=interval,
        start_ns=row.start_ns,
        end_ns=row.end_ns,
        open=so_far.open,
        high=so_far.high,
        low=so_far.low,
        close=so_far.close,
        volume=so_far.volume,
        tick_count=so_far.tick_count,
        bar_index=row.bar_index,
        source=_SOURCE,
        source_partition=0,
        source_offset=row.bar_index,
        ingested_at_ns=row.end_ns,
        closed_at_ns=row.end_ns,
    )
