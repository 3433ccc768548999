"""The past that a file holds, as bars, for training."""

import logging
from collections.abc import Iterator

import msgspec
import numpy as np

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.bars import BarColumns
from ingestor.sources.file_columns import TimedBar
from ingestor.sources.file_intervals import DAY_NS, length_of_bars
from ingestor.sources.file_reader import Read, RowReader
from ingestor.sources.moments import Rejected
from schemas.times import bar_start_ns

_log = logging.getLogger(__name__)


class _FoldedBar(msgspec.Struct):
    """A bar while rows come in: open and close follow the rows' times, ties their order, as in the stream."""

    first_ns: int
    last_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float

    def add(self, time_ns: int, row: PlayedBar) -> None:
        if time_ns >= self.last_ns:
            self.last_ns, self.close = time_ns, row.close
        elif time_ns < self.first_ns:
            self.first_ns, self.open = time_ns, row.open
        self.high, self.low = max(self.high, row.high), min(self.low, row.low)
        self.volume += row.volume


def read_history(
    reader: RowReader, length_ns: int, start_ns: int | None = None, end_ns: int | None = None
) -> dict[str, BarColumns]:
    """Read all rows and fold them to bars of a length, by ticker in alphabetical order.

    Rows may come in any order of time; bad ones, and a ticker's second bar of one time, are counted and passed over
    (they are reported when they are played). The bars must fit into memory, the file need not.

    Args:
        start_ns: Only bars that start at or after it.
        end_ns: Only bars that start before it.
    """
    bars: dict[str, dict[int, _FoldedBar]] = {}
    for time_ns, row in _rows(reader, length_ns):
        start = bar_start_ns(time_ns, length_ns)
        if (start_ns is None or start >= start_ns) and (end_ns is None or start < end_ns):
            own = bars.setdefault(row.ticker, {})
            if start in own:
                own[start].add(time_ns, row)
            else:
                own[start] = _FoldedBar(time_ns, time_ns, row.open, row.high, row.low, row.close, row.volume)
    return {ticker: _columns(bars[ticker]) for ticker in sorted(bars)}


def _rows(reader: RowReader, length_ns: int) -> Iterator[tuple[int, PlayedBar]]:
    bars = reader.kind == "bars"
    row_length_ns = (length_of_bars(reader) or length_ns) if bars else length_ns
    last_starts: dict[str, int] = {}
    bad = 0
    for read in reader.read():
        if isinstance(read, Rejected):
            bad += 1
        elif read is not None:
            time_ns, row = _time_and_bar(reader, read, daily=row_length_ns == DAY_NS)
            start_ns = bar_start_ns(time_ns, row_length_ns)
            if bars and last_starts.get(row.ticker) == start_ns:
                bad += 1
            else:
                last_starts[row.ticker] = start_ns
                yield time_ns, row
    if bad:
        _log.warning("%d bad rows were passed over", bad)


def _time_and_bar(reader: RowReader, read: Read, *, daily: bool) -> tuple[int, PlayedBar]:
    if isinstance(read.value, TimedBar):
        return (reader.date_ns(read.row) if daily else read.value.time_ns), read.value.bar
    tick = read.value
    return tick.time_ns, PlayedBar(tick.ticker, tick.price, tick.price, tick.price, tick.price, tick.size)


def _columns(bars: dict[int, _FoldedBar]) -> BarColumns:
    starts = sorted(bars)
    rows = [(b.open, b.high, b.low, b.close, b.volume) for b in (bars[start] for start in starts)]
    table = np.array(rows, dtype=np.float64).reshape(len(starts), 5)
    return BarColumns(np.array(starts, dtype=np.int64), *(np.ascontiguousarray(table[:, index]) for index in range(5)))
