"""Bars of a file's rows, ticks or bars, folded as the feature stage folds them."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np

from ingestor.sources.bars import BarColumns
from ingestor.sources.file_columns import Read, RowReader, TimedBar
from ingestor.sources.file_rows import open_rows
from ingestor.sources.moments import Rejected
from schemas.times import Interval, bar_start_ns, interval_ns

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _OpenBar:
    """One ticker's newest bar; open and close follow event time, ties the order of the rows."""

    start_ns: int
    first_ns: int
    last_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float

    def take(self, other: "_OpenBar") -> None:
        if other.first_ns < self.first_ns:
            self.first_ns, self.open = other.first_ns, other.open
        if other.last_ns >= self.last_ns:
            self.last_ns, self.close = other.last_ns, other.close
        self.high, self.low = max(self.high, other.high), min(self.low, other.low)
        self.volume += other.volume


@dataclass
class BarFold:
    """Folds rows into bars, by ticker; what comes after its bar has closed is late and passed over."""

    length_ns: int
    late: int = 0
    _bars: dict[str, list[_OpenBar]] = field(default_factory=dict)

    def take(self, read: Read) -> None:
        """Take one row."""
        ticker, piece = self._piece(read)
        bars = self._bars.setdefault(ticker, [])
        if not bars or piece.start_ns > bars[-1].start_ns:
            bars.append(piece)
        elif piece.start_ns == bars[-1].start_ns:
            bars[-1].take(piece)
        else:
            self.late += 1

    def columns(self) -> dict[str, BarColumns]:
        """Give the bars, by ticker in alphabetical order."""
        return {ticker: _columns(self._bars[ticker]) for ticker in sorted(self._bars)}

    def _piece(self, read: Read) -> tuple[str, _OpenBar]:
        value = read.value
        start_ns = bar_start_ns(value.time_ns, self.length_ns)
        if isinstance(value, TimedBar):
            bar = value.bar
            prices = (bar.open, bar.high, bar.low, bar.close, bar.volume)
            return bar.ticker, _OpenBar(start_ns, value.time_ns, value.time_ns, *prices)
        prices = (value.price, value.price, value.price, value.price, value.size)
        return value.ticker, _OpenBar(start_ns, value.time_ns, value.time_ns, *prices)


def _columns(bars: list[_OpenBar]) -> BarColumns:
    names = ("open", "high", "low", "close", "volume")
    prices = (np.array([getattr(bar, name) for bar in bars], np.float64) for name in names)
    return BarColumns(np.array([bar.start_ns for bar in bars], np.int64), *prices)


def load_file_bars(path: str, interval: Interval, tickers: Collection[str] = ()) -> dict[str, BarColumns]:
    """Fold a CSV or Parquet file into bars. Rows are streamed; only the bars are kept.

    Raises:
        StopAndSayError: The file cannot be read, or lacks a column.
    """
    return fold_rows(RowReader(open_rows(path), path, tickers).read(), path, interval)


def fold_rows(rows: Iterable[Read | Rejected], path: str, interval: Interval) -> dict[str, BarColumns]:
    """Fold rows that a reader gives; what it rejects is counted and passed over."""
    fold, rejected = BarFold(interval_ns(interval)), 0
    for row in rows:
        if isinstance(row, Rejected):
            rejected += 1
        else:
            fold.take(row)
    if rejected or fold.late:
        _log.warning("%s: training passes over %d bad rows and %d that come too late", path, rejected, fold.late)
    return fold.columns()
