"""A file of ticks, played at the distance of their times."""

from collections.abc import AsyncIterator, Collection

from ingestor.sources.file_options import FileOptions
from ingestor.sources.file_order import Order, already_played, with_next
from ingestor.sources.file_reader import Read, RowReader
from ingestor.sources.moments import Moment, Position, Rejected
from ingestor.sources.pace import Pace, Turns
from ingestor.sources.replay import WARM_UP_BARS
from schemas.events import Origin, Tick
from schemas.times import NS_PER_SECOND, bar_start_ns, interval_ns

#: A position is (row, one of these, newest time so far): what may come before a row's tick, it, and the end.
_QUIET, _MARK, _TICK, _END = range(4)
#: A tick that moves the newest time by more than this sends a watermark first: the time between was empty.
_JUMP_NS = NS_PER_SECOND


class TickFilePlay:
    """Plays ticks; a watermark whenever the file's time jumps or has passed the end of a bar, and while it is quiet.

    Rows may go back in time by the disorder allowed; the watermarks keep that distance.
    """

    def __init__(self, options: FileOptions, reader: RowReader, pace: Pace) -> None:
        self._options = options
        self._reader = reader
        self._pace = pace
        self._interval_ns = interval_ns(options.interval)
        self._start_ns = options.start_ns or 0
        self._warm_up_ns = max(0, self._start_ns - WARM_UP_BARS * self._interval_ns)
        self._order = Order(options.path, options.disorder_ns)
        self._newest_ns = 0
        self._marked_ns = 0
        self._ended: Position | None = None

    async def ticks(self, after: Position | None, places: Collection[Position] = ()) -> AsyncIterator[Moment]:
        """Play what comes after a position.

        Args:
            places: What the partitions have each.

        Raises:
            StopAndSayError: Nothing in the file is live.
        """
        row, number, self._newest_ns = after or (0, _END, 0)
        self._marked_ns = self._mark_ns(self._newest_ns)
        self._ended = max((place for place in (*places, *([after] if after else [])) if place[1] == _END), default=None)
        turns = Turns()
        for read, following in with_next(self._reader.read(row if number >= _TICK else row - 1)):
            if read is None:
                await turns.passed_over()
                continue
            if isinstance(read, Rejected):
                row = int(read.place or row)
                yield self._rejected(row, read)
                continue
            if self._options.end_ns is not None and self._complete_ns(self._newest_ns) >= self._options.end_ns:
                break
            row = read.row.number
            async for moment in self._row_moments(read, following):
                yield moment
            await turns.passed_over()
        if self._newest_ns < self._start_ns or not self._newest_ns:
            raise self._options.nothing_live()
        yield self._end(row)

    async def _row_moments(self, read: Read, following: Read | None) -> AsyncIterator[Moment]:
        row, tick = read.row.number, read.value
        if not isinstance(tick, Tick):
            return
        problem = self._problem(row, tick.time_ns, following)
        if problem:
            yield self._rejected(row, self._reader.reject(read.row, "order", problem))
            return
        newest_ns = max(self._newest_ns, tick.time_ns)
        if not self._newest_ns:  # no bar can have ended yet
            self._marked_ns = self._mark_ns(newest_ns)
        played = self._is_played(tick.time_ns)
        if played:
            async for moment in self._before(row, tick.time_ns, newest_ns):
                yield moment
        self._newest_ns = newest_ns
        if played:
            yield Moment(
                position=self._place(row, _TICK),
                tickers=[tick.ticker],
                times_ns=[tick.time_ns],
                prices=[tick.price],
                sizes=[tick.size],
                origin=self._origin(tick.time_ns),
            )

    def _problem(self, row: int, time_ns: int, following: Read | None) -> str | None:
        problem = self._order.problem(
            time_ns, self._complete_ns(self._newest_ns), following.value.time_ns if following else None
        )
        if problem or self._ended is None:
            return problem
        ended_row, _, ended_ns = self._ended
        closed_ns = self._bar_end_ns(ended_ns)
        return already_played(closed_ns) if row > ended_row and time_ns < closed_ns else None

    async def _before(self, row: int, time_ns: int, newest_ns: int) -> AsyncIterator[Moment]:
        """Wait for a tick's time; say where the file is while it is quiet, where bars have ended, and that it jumps."""
        if self._pace.waits and time_ns >= self._start_ns:
            async for reached_ns in self._pace.until(time_ns):
                self._marked_ns = max(self._marked_ns, min(reached_ns, self._complete_ns(newest_ns)))
                yield Moment(position=self._place(row, _QUIET), watermark_ns=self._marked_ns)
        jumps = 0 < self._newest_ns < newest_ns - _JUMP_NS
        mark_ns = self._complete_ns(newest_ns) if jumps else self._mark_ns(newest_ns)
        if mark_ns > self._marked_ns:
            self._marked_ns = mark_ns
            yield Moment(position=self._place(row, _MARK), watermark_ns=mark_ns, origin=self._origin(time_ns))

    def _rejected(self, row: int, rejected: Rejected) -> Moment:
        return Moment(position=self._place(row, _TICK), rejected=[rejected])

    def _end(self, row: int) -> Moment:
        """Close the last bars: there is no more to come."""
        newest_ns = self._newest_ns
        if self._options.end_ns is not None:
            newest_ns = min(newest_ns, self._options.end_ns - 1)
        return Moment(position=self._place(row, _END), watermark_ns=self._bar_end_ns(newest_ns))

    def _is_played(self, time_ns: int) -> bool:
        end_ns = self._options.end_ns
        return time_ns >= self._warm_up_ns and (end_ns is None or time_ns < end_ns)

    def _origin(self, time_ns: int) -> Origin:
        return Origin.NORMAL if time_ns >= self._start_ns else Origin.WARM_UP

    def _place(self, row: int, number: int) -> Position:
        return (row, number, self._newest_ns)

    def _complete_ns(self, newest_ns: int) -> int:
        """Give the time before which no row can come any more."""
        return max(0, newest_ns - self._options.disorder_ns)

    def _mark_ns(self, newest_ns: int) -> int:
        return bar_start_ns(self._complete_ns(newest_ns), self._interval_ns)

    def _bar_end_ns(self, time_ns: int) -> int:
        return bar_start_ns(time_ns, self._interval_ns) + self._interval_ns
