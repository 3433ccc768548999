"""Bars at rest to the events that the stage would have sent of them, date after date."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from typing import NamedTuple

from ingestor.sources.bars import BarColumns
from predictor.training.row_events import bar_so_far, closed_bar, final_event, rows_of
from schemas.events import Bar, Features
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
    for at, row in enumerate(rows_of(interval, columns)):
        if row.start_ns >= from_ns:
            so_far = bar_so_far(columns, at, interval)
            bar = closed_bar(ticker, interval, so_far, row.bar_index, _SOURCE)
            yield Closed(bar, final_event(ticker, interval, row, so_far))
