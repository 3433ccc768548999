"""A file of bars, played like the daily ones."""

from collections import deque
from collections.abc import AsyncIterator, Collection, Iterator
from typing import NamedTuple

from ingestor.sources.bar_play import PRICES_PER_BAR, play_bars
from ingestor.sources.file_groups import BarGroup, GroupGatherer
from ingestor.sources.file_growth import begun_groups, mark_number
from ingestor.sources.file_options import FileOptions
from ingestor.sources.file_reader import RowReader
from ingestor.sources.moments import Moment, Position
from ingestor.sources.pace import Pace, Turns
from ingestor.sources.paced_steps import PacedSteps
from ingestor.sources.replay import WARM_UP_BARS
from schemas.events import Origin
from schemas.times import bar_start_ns, interval_ns

#: A position is (phase, first row of the group, its last row, number in the group), for what was added to the group
#: after it had been played also the row.
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

    async def ticks(self, after: Position | None, places: Collection[Position] = ()) -> AsyncIterator[Moment]:
        """Play what comes after a position.

        Args:
            places: What the partitions have each.

        Raises:
            StopAndSayError: Nothing in the file is live.
        """
        steps, turns = PacedSteps(self._pace, after), Turns()
        marked_ns, last = 0, None
        for placed in self._placed(after, places):
            if placed is None:
                await turns.passed_over()
                continue
            for moment in self._before(placed, marked_ns):
                yield moment
                steps.note([moment])
            if placed.group.bars:
                async for moment in steps.play(self._steps(placed)):
                    yield moment
                marked_ns, last = placed.group.start_ns + self._length_ns, placed
        if last is None or last.origin is Origin.WARM_UP:
            raise self._options.nothing_live()
        if marked_ns % self._interval_ns:
            yield self._last_mark(last, marked_ns)

    def _before(self, placed: _Placed, marked_ns: int) -> Iterator[Moment]:
        """Say what was rejected, and that time jumps to the group, so that the gap before it is known to be empty.

        After rows that were added too late, a watermark that says nothing new: a frame must carry their position.
        """
        place, group, origin = placed
        jumps = bool(group.bars) and 0 < marked_ns < group.start_ns
        mark_ns = group.start_ns if jumps or (group.added_to and group.rejected) else None
        if group.rejected or mark_ns:
            position = group.added_to or (*place, 0)
            yield Moment(position=position, origin=origin, watermark_ns=mark_ns, rejected=group.rejected)

    def _steps(self, placed: _Placed) -> Iterator[list[Moment]]:
        start_ns, bars = placed.group.start_ns, list(placed.group.bars.values())
        times_ns = [start_ns + step * self._length_ns // PRICES_PER_BAR for step in range(PRICES_PER_BAR)]
        return play_bars(bars, times_ns, placed.origin, placed.place, start_ns + self._length_ns)

    def _last_mark(self, last: _Placed, marked_ns: int) -> Moment:
        end_ns = bar_start_ns(marked_ns, self._interval_ns) + self._interval_ns
        position = (*last.place, mark_number(len(last.group.bars)) + 1)
        return Moment(position=position, origin=last.origin, watermark_ns=end_ns)

    def _placed(self, after: Position | None, places: Collection[Position]) -> Iterator[_Placed | None]:
        """Say which groups are played, in which phase: the last ones before the start, then the others.

        None where there is none yet.
        """
        start_ns, end_ns = self._options.start_ns or 0, self._options.end_ns
        row_after = max(0, after[1] - 1) if after and after[0] == _LIVE_PHASE else 0
        warm_up: deque[BarGroup] = deque(maxlen=WARM_UP_BARS)
        for group in self._gatherer(after, places).groups(row_after):
            if group is None:
                yield None
                continue
            if end_ns is not None and group.start_ns >= end_ns:
                break
            if group.start_ns < start_ns:
                if group.rejected:
                    yield _Placed((_WARM_UP_PHASE, 0, 0), group._replace(bars={}, added_to=None), Origin.WARM_UP)
                if group.bars:
                    warm_up.append(group._replace(rejected=[]))
                continue
            yield from self._warm_up(warm_up)
            yield _Placed((_LIVE_PHASE, group.first_row, group.last_row), group, Origin.NORMAL)
        yield from self._warm_up(warm_up)

    def _gatherer(self, after: Position | None, places: Collection[Position]) -> GroupGatherer:
        begun = begun_groups([*places, *([after] if after else [])])
        return GroupGatherer(self._reader, self._options.path, self._length_ns, self._interval_ns, begun)

    @staticmethod
    def _warm_up(groups: deque[BarGroup]) -> Iterator[_Placed]:
        while groups:
            group = groups.popleft()
            yield _Placed((_WARM_UP_PHASE, group.first_row, group.last_row), group, Origin.WARM_UP)
