"""A file of bars, played like the daily ones."""

from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

from ingestor.sources.bar_play import PRICES_PER_BAR, play_bars
from ingestor.sources.file_groups import BarGroup, GroupGatherer
from ingestor.sources.file_options import FileOptions
from ingestor.sources.file_reader import RowReader
from ingestor.sources.moments import Moment, Position
from ingestor.sources.pace import Pace
from ingestor.sources.replay import WARM_UP_BARS
from schemas.events import Origin
from schemas.times import bar_start_ns, interval_ns

#: A position is (phase, first row of the group, number in the group).
_WARM_UP_PHASE, _LIVE_PHASE = 0, 1


class _Placed(NamedTuple):
    place: Position
    group: BarGroup
    origin: Origin


class BarFilePlay:
    """Plays a file of bars: of each time the four prices, then a watermark; the bars before the start first.

    Args:
        length_ns: Of the file's bars; the four prices are spread over it.
    """

    def __init__(self, options: FileOptions, reader: RowReader, length_ns: int, pace: Pace) -> None:
        self._options = options
        self._reader = reader
        self._length_ns = length_ns
        self._interval_ns = interval_ns(options.interval)
        self._pace = pace

    async def moments(self, after: Position | None) -> AsyncIterator[Moment]:
        """Play what comes after a position.

        Raises:
            StopAndSayError: Nothing in the file is live.
        """
        marked_ns, last, live = 0, None, False
        for last in self._placed(after):
            mark_ns = self._gap_mark(marked_ns, last.group)
            if last.group.rejected or mark_ns:
                yield Moment(
                    position=(*last.place, 0), origin=last.origin, watermark_ns=mark_ns, rejected=last.group.rejected
                )
            async for moment in self._group_moments(last, after):
                yield moment
            if last.group.bars:
                marked_ns = last.group.start_ns + self._length_ns
                live = last.origin is not Origin.WARM_UP
        if last is None or not live:
            raise self._options.nothing_live()
        if marked_ns % self._interval_ns:
            yield self._last_mark(last, marked_ns)

    async def _group_moments(self, placed: _Placed, after: Position | None) -> AsyncIterator[Moment]:
        start_ns, bars = placed.group.start_ns, list(placed.group.bars.values())
        times_ns = [start_ns + step * self._length_ns // PRICES_PER_BAR for step in range(PRICES_PER_BAR)]
        for step in play_bars(bars, times_ns, placed.origin, placed.place, start_ns + self._length_ns) if bars else ():
            fresh = [moment for moment in step if after is None or moment.position > after]
            if fresh and placed.origin is not Origin.WARM_UP:
                await self._pace.step(1 / PRICES_PER_BAR)
            for moment in fresh:
                yield moment

    @staticmethod
    def _gap_mark(marked_ns: int, group: BarGroup) -> int | None:
        """Say that time jumps to the group, so that what should have been sent in the gap is known not to be."""
        return group.start_ns if 0 < marked_ns < group.start_ns else None

    def _last_mark(self, last: _Placed, marked_ns: int) -> Moment:
        end_ns = bar_start_ns(marked_ns, self._interval_ns) + self._interval_ns
        number = PRICES_PER_BAR * len(last.group.bars) + 2
        return Moment(position=(*last.place, number), origin=last.origin, watermark_ns=end_ns)

    def _placed(self, after: Position | None) -> Iterator[_Placed]:
        """Say which groups are played, in which phase: the last ones before the start, then the others."""
        start_ns, end_ns = self._options.start_ns or 0, self._options.end_ns
        row_after = after[1] - 1 if after and after[0] == _LIVE_PHASE else 0
        warm_up: deque[BarGroup] = deque(maxlen=WARM_UP_BARS)
        for group in GroupGatherer(self._reader, self._options.path, self._length_ns).groups(row_after):
            if end_ns is not None and group.start_ns >= end_ns:
                break
            if group.start_ns < start_ns:
                if group.rejected:
                    yield _Placed((_WARM_UP_PHASE, 0), group._replace(bars={}), Origin.WARM_UP)
                if group.bars:
                    warm_up.append(group._replace(rejected=[]))
                continue
            yield from self._warm_up(warm_up)
            yield _Placed((_LIVE_PHASE, group.first_row), group, Origin.NORMAL)
        yield from self._warm_up(warm_up)

    @staticmethod
    def _warm_up(groups: deque[BarGroup]) -> Iterator[_Placed]:
        while groups:
            group = groups.popleft()
            yield _Placed((_WARM_UP_PHASE, group.first_row), group, Origin.WARM_UP)
