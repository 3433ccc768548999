"""The rows of a file of bars, gathered by time."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.file_columns import TimedBar
from ingestor.sources.file_growth import LAST_ROW, has_ended, place_of_added, reported_row
from ingestor.sources.file_intervals import DAY_NS, length_text
from ingestor.sources.file_order import Order, already_played, with_next
from ingestor.sources.file_reader import Read, RowReader
from ingestor.sources.moments import Position, Rejected
from schemas.errors import StopAndSayError
from schemas.times import bar_start_ns, to_rfc3339

_MOST_REJECTED = 1_000


class BarGroup(NamedTuple):
    """The bars of one time, by ticker in the order of their rows, and what was rejected among them.

    A group without bars only carries what was rejected.

    Attributes:
        last_row: So far; rejected rows count.
        added_to: Where the rejected rows were added to a time that had been played: their position.
    """

    first_row: int
    last_row: int
    start_ns: int
    bars: dict[str, PlayedBar]
    rejected: list[Rejected]
    added_to: Position | None = None


class GroupGatherer:
    """Gathers rows of one time; memory holds one group.

    Args:
        reader: Of bars.
        path: For messages.
        length_ns: Of a bar; its start is its time rounded down to this, or its date where it is a day.
        interval_ns: Of the feature stage's bars.
        begun: The groups of which some partition has ticks, by first row, with the furthest place in each.
    """

    def __init__(
        self, reader: RowReader, path: str, length_ns: int, interval_ns: int, begun: Mapping[int, Position]
    ) -> None:
        self._reader = reader
        self._order = Order(path)
        self._length_ns = length_ns
        self._interval_ns = interval_ns
        self._begun = begun
        self._resuming = False
        self._closed_ns = 0
        self._reported_row = 0
        self._group = BarGroup(0, 0, 0, {}, [])

    def groups(self, after: int = 0) -> Iterator[BarGroup | None]:
        """Give the groups after a row number, which must be the last of a group; None for a row that completes none.

        A row that goes back in time, or ahead of it, or a ticker's second of one time, is rejected.

        Raises:
            StopAndSayError: Row after row goes back: the file is in another order.
        """
        self._resuming = after > 0
        try:
            for read, following in with_next(self._reader.read(after)):
                if read is not None:
                    yield from self._take(read, following)
                yield None
        except StopAndSayError:
            yield self._group._replace(bars={})
            raise
        yield self._group

    def _take(self, read: Read | Rejected, following: Read | None) -> Iterator[BarGroup]:
        yield from self._close_played(_number(read))
        if isinstance(read, Rejected):
            yield from self._reject(read)
        elif isinstance(read.value, TimedBar):
            problem = self._problem(read, following)
            if problem:
                yield from self._reject(self._reader.reject(read.row, "order", problem))
            else:
                yield from self._add(read.row.number, self._start_ns(read), read.value.bar)

    def _add(self, row: int, start_ns: int, bar: PlayedBar) -> Iterator[BarGroup]:
        if start_ns == self._group.start_ns and self._group.bars:
            self._group.bars[bar.ticker] = bar
            self._group = self._group._replace(last_row=row)
        else:
            yield self._group
            self._group = BarGroup(row, row, start_ns, {bar.ticker: bar}, [])

    def _close_played(self, row: int) -> Iterator[BarGroup]:
        """End a group with its last row of when it was played; what the file has of its time since comes too late."""
        group = self._group
        place = self._begun.get(group.first_row)
        if place is None or not group.bars or row <= place[LAST_ROW]:
            return
        yield group
        length_ns = self._interval_ns if has_ended(place, len(group.bars)) else self._length_ns
        self._closed_ns = bar_start_ns(group.start_ns, length_ns) + length_ns
        self._reported_row = reported_row(place)
        added_to = place_of_added(place, len(group.bars), row)
        self._group = BarGroup(group.first_row, row, group.start_ns, {}, [], added_to)

    def _problem(self, read: Read, following: Read | None) -> str | None:
        if self._resuming:  # the first of its group was good when that was played
            self._resuming = False
            return None
        group, start_ns = self._group, self._start_ns(read)
        next_ns = self._start_ns(following) if following else None
        problem = self._order.problem(start_ns, group.start_ns, next_ns)
        if problem:
            return problem
        if start_ns < self._closed_ns:
            return already_played(self._closed_ns)
        if isinstance(read.value, TimedBar) and start_ns == group.start_ns and read.value.bar.ticker in group.bars:
            return (
                f"a second bar of {read.value.bar.ticker} at {to_rfc3339(start_ns)}: by its first rows, the file holds "
                f"bars of {length_text(self._length_ns)}"
            )
        return None

    def _start_ns(self, read: Read) -> int:
        if self._length_ns == DAY_NS:
            return self._reader.date_ns(read.row)
        return bar_start_ns(read.value.time_ns, self._length_ns)

    def _reject(self, rejected: Rejected) -> Iterator[BarGroup]:
        if _number(rejected) <= self._reported_row:
            return
        group = self._group
        group.rejected.append(rejected)
        added_to = group.added_to and (*group.added_to[:-1], _number(rejected))
        self._group = group = group._replace(last_row=_number(rejected), added_to=added_to)
        if len(group.rejected) >= _MOST_REJECTED:
            yield group._replace(bars={}, rejected=list(group.rejected))
            group.rejected.clear()


def _number(read: Read | Rejected) -> int:
    return read.row.number if isinstance(read, Read) else int(read.place or 0)
