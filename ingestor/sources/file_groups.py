"""The rows of a file of bars, gathered by time."""

from collections.abc import Iterator
from typing import NamedTuple

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.file_columns import TimedBar
from ingestor.sources.file_intervals import DAY_NS
from ingestor.sources.file_order import Order
from ingestor.sources.file_reader import Read, RowReader
from ingestor.sources.moments import Rejected
from schemas.times import bar_start_ns, to_rfc3339

_MOST_REJECTED = 1_000


class BarGroup(NamedTuple):
    """The bars of one time, by ticker in the order of their rows, and what was rejected among them.

    A group without bars only carries what was rejected.
    """

    first_row: int
    start_ns: int
    bars: dict[str, PlayedBar]
    rejected: list[Rejected]


class GroupGatherer:
    """Gathers rows of one time; memory holds one group.

    Args:
        reader: Of bars.
        path: For messages.
        length_ns: Of a bar; its start is its time rounded down to this, or its date where it is a day.
    """

    def __init__(self, reader: RowReader, path: str, length_ns: int) -> None:
        self._reader = reader
        self._order = Order(path)
        self._length_ns = length_ns
        self._group = BarGroup(0, 0, {}, [])

    def groups(self, after: int = 0) -> Iterator[BarGroup]:
        """Give the groups after a row number, which must be the last of a group.

        A row that goes back in time, or a ticker's second of one time, is rejected.

        Raises:
            StopAndSayError: Row after row goes back: the file is in another order.
        """
        for read in self._reader.read(after):
            if isinstance(read, Rejected):
                yield from self._reject(read)
            elif isinstance(read.value, TimedBar):
                yield from self._take(read, read.value)
        if self._group.bars or self._group.rejected:
            yield self._group

    def _take(self, read: Read, timed: TimedBar) -> Iterator[BarGroup]:
        start_ns, ticker = self._start_ns(read, timed), timed.bar.ticker
        group = self._group
        problem = self._order.problem(start_ns, group.start_ns)
        if not problem and start_ns == group.start_ns and ticker in group.bars:
            problem = f"a second bar of {ticker} at {to_rfc3339(start_ns)}"
        if problem:
            yield from self._reject(self._reader.reject(read.row, "order", problem))
        elif start_ns == group.start_ns and group.bars:
            group.bars[ticker] = timed.bar
        else:
            if group.bars or group.rejected:
                yield group
            self._group = BarGroup(read.row.number, start_ns, {ticker: timed.bar}, [])

    def _start_ns(self, read: Read, timed: TimedBar) -> int:
        if self._length_ns == DAY_NS:
            return self._reader.date_ns(read.row)
        return bar_start_ns(timed.time_ns, self._length_ns)

    def _reject(self, rejected: Rejected) -> Iterator[BarGroup]:
        group = self._group
        group.rejected.append(rejected)
        if len(group.rejected) >= _MOST_REJECTED:
            yield BarGroup(group.first_row, group.start_ns, {}, list(group.rejected))
            group.rejected.clear()
