"""The past that a file holds, as bars, for training."""

from collections.abc import Iterator

import numpy as np

from ingestor.sources.bars import BarColumns
from ingestor.sources.file_columns import Read, RowReader, TimedBar
from schemas.times import bar_start_ns

#: Start, open, high, low, close, volume.
_Bar = list[float]


def read_history(
    reader: RowReader, length_ns: int, start_ns: int | None = None, end_ns: int | None = None
) -> dict[str, BarColumns]:
    """Read all rows and fold them to bars of a length, by ticker in alphabetical order.

    Rows in any order of time; bad rows are passed over (they are reported when they are played). The bars of
    one ticker must fit into memory.

    Args:
        start_ns: Only bars that start at or after it.
        end_ns: Only bars that start before it.
    """
    bars: dict[str, dict[int, _Bar]] = {}
    for ticker, time_ns, values in _rows(reader):
        start = bar_start_ns(time_ns, length_ns)
        if (start_ns is None or start >= start_ns) and (end_ns is None or start < end_ns):
            _fold(bars.setdefault(ticker, {}), start, values)
    return {ticker: _columns(bars[ticker]) for ticker in sorted(bars)}


def _rows(reader: RowReader) -> Iterator[tuple[str, int, tuple[float, float, float, float, float]]]:
    for read in reader.read():
        if not isinstance(read, Read):
            continue
        if isinstance(read.value, TimedBar):
            time_ns, bar = read.value
            yield bar.ticker, time_ns, (bar.open, bar.high, bar.low, bar.close, bar.volume)
        else:
            price = read.value.price
            yield read.value.ticker, read.value.time_ns, (price, price, price, price, read.value.size)


def _fold(bars: dict[int, _Bar], start: int, values: tuple[float, float, float, float, float]) -> None:
    first, high, low, last, volume = values
    bar = bars.get(start)
    if bar is None:
        bars[start] = [first, high, low, last, volume]
        return
    bar[1], bar[2], bar[3] = max(bar[1], high), min(bar[2], low), last
    bar[4] += volume


def _columns(bars: dict[int, _Bar]) -> BarColumns:
    starts = sorted(bars)
    table = np.array([bars[start] for start in starts], dtype=np.float64).reshape(len(starts), 5)
    return BarColumns(np.array(starts, dtype=np.int64), *(np.ascontiguousarray(table[:, index]) for index in range(5)))
