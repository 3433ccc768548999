"""Daily bars of the past, played as if they were live."""

import logging
from collections.abc import AsyncIterator, Collection, Iterator
from itertools import chain, count
from math import log10
from typing import NamedTuple

import numpy as np

from ingestor.sources.bar_play import PlayedBar, play_bars
from ingestor.sources.bars import BarColumns
from ingestor.sources.contents import time_text
from ingestor.sources.moments import Moment, Position, SourceHealth
from ingestor.sources.pace import Pace
from ingestor.sources.paced_steps import PacedSteps
from ingestor.sources.replay_options import ReplayOptions
from schemas.errors import StopAndSayError
from schemas.events import Origin
from schemas.times import NS_PER_SECOND

_log = logging.getLogger(__name__)

#: Bars before the start that are played first, at full speed, so that live predictions have full windows.
WARM_UP_BARS = 250
#: Event times of a day's four prices, after 00:00 UTC: 14:30, 17:00, 19:00 and 21:00.
PRICE_TIMES_NS = tuple(minutes * 60 * NS_PER_SECOND for minutes in (870, 1_020, 1_140, 1_260))

_DAY_NS = 86_400 * NS_PER_SECOND
#: Later passes are shifted by whole weeks, so that trading days stay trading days.
_WEEK_NS = 7 * _DAY_NS
#: Event times are signed 64-bit numbers: the year 2262.
_END_OF_TIME_NS = 2**63 - 1
#: A loop ends before a pass is scaled by more than 10 to this power, up or down: squares of prices must be numbers.
_LARGEST_EXPONENT = 100


class _Day(NamedTuple):
    place: Position
    start_ns: int
    bars: list[PlayedBar]
    origin: Origin


class ReplaySource:
    """Plays daily bars from a start: warm-up, the bars themselves, and, in a loop, the same again later.

    A position is (pass, day of the pass, number in the day). Before a day's ticks a watermark says that time jumps
    to them. Each later pass follows the last in time and price.

    Args:
        bars: By ticker, adjusted.

    Raises:
        StopAndSayError: There is nothing to play in that time.
    """

    live = False
    goes_on_from: tuple[str, ...] = ()

    def __init__(self, bars: dict[str, BarColumns], pace: Pace, options: ReplayOptions) -> None:
        start_ns, end_ns = options.start_ns, options.end_ns
        self._bars = bars
        self._pace = pace
        self._loop = options.loop
        self._days_of_bars = {ticker: columns.start_ns.tolist() for ticker, columns in bars.items()}
        days = sorted(set().union(*self._days_of_bars.values()))
        self._live_days = [day for day in days if day >= start_ns and (end_ns is None or day < end_ns)]
        if not self._live_days:
            raise StopAndSayError(
                f"TICKCAST_START {time_text(start_ns)} and TICKCAST_END leave nothing to play: the daily prices of "
                f"{', '.join(bars)} run from {time_text(days[0])} to {time_text(days[-1])}"
            )
        self._warm_up_days = [day for day in days if day < start_ns][-WARM_UP_BARS:]
        self._rows = _rows_by_day(self._days_of_bars)
        self._pass_ns = -(-(self._live_days[-1] - self._live_days[0] + _DAY_NS) // _WEEK_NS) * _WEEK_NS
        self._growth = {ticker: self._growth_of(columns) for ticker, columns in bars.items()}
        self.content = options.content

    @property
    def title(self) -> str:
        """Say what is played."""
        first, last = time_text(self._live_days[0]), time_text(self._live_days[-1])
        return f"daily prices of {', '.join(self._bars)}, {first} to {last}{', in a loop' if self._loop else ''}"

    def health(self) -> SourceHealth:
        """Say that all is well: what is read here is here."""
        return SourceHealth()

    async def ticks(
        self,
        after: Position | None,
        last_prices: dict[str, float],  # noqa: ARG002
        places: Collection[Position] = (),  # noqa: ARG002
    ) -> AsyncIterator[Moment]:
        """Play what comes after a position."""
        paced = PacedSteps(self._pace, after)
        for day in self._days(after or (0, 0, 0)):
            times_ns = [day.start_ns + time_ns for time_ns in PRICE_TIMES_NS]
            jump = Moment(position=(*day.place, 0), origin=day.origin, watermark_ns=times_ns[0])
            steps = play_bars(day.bars, times_ns, day.origin, day.place, day.start_ns + _DAY_NS)
            async for moment in paced.play(chain([[jump, *next(steps)]], steps)):
                yield moment

    def _days(self, first: Position) -> Iterator[_Day]:
        for number in count(first[0]):
            days = self._live_days if number else self._warm_up_days + self._live_days
            shift_ns = number * self._pass_ns
            if number and not self._goes_on(number):
                return
            for index in range(first[1] if number == first[0] else 0, len(days)):
                warm_up = not number and index < len(self._warm_up_days)
                origin = Origin.REPEAT if number else Origin.WARM_UP if warm_up else Origin.NORMAL
                bars = [self._bar(ticker, row, number) for ticker, row in self._rows[days[index]]]
                yield _Day((number, index), days[index] + shift_ns, bars, origin)

    def _goes_on(self, number: int) -> bool:
        """Tell whether there is a pass of a number; where a loop must end, say so."""
        if not self._loop:
            return False
        problem = None
        if self._live_days[-1] + number * self._pass_ns + _DAY_NS > _END_OF_TIME_NS:
            problem = "the next pass would end after the year 2262"
        elif any(abs(log10(growth)) * number > _LARGEST_EXPONENT for growth in self._growth.values()):
            problem = "prices have drifted as far as numbers allow"
        if problem:
            _log.warning("the loop ends after %d passes: %s", number, problem)
        return problem is None

    def _bar(self, ticker: str, row: int, number: int) -> PlayedBar:
        columns, factor = self._bars[ticker], self._growth[ticker] ** number
        return PlayedBar(
            ticker,
            float(columns.open[row]) * factor,
            float(columns.high[row]) * factor,
            float(columns.low[row]) * factor,
            float(columns.close[row]) * factor,
            float(columns.volume[row]),
        )

    def _growth_of(self, columns: BarColumns) -> float:
        """Give what a later pass is scaled by, over the one before, to begin where that one ended."""
        played = np.flatnonzero((columns.start_ns >= self._live_days[0]) & (columns.start_ns <= self._live_days[-1]))
        return float(columns.close[played[-1]] / columns.open[played[0]]) if len(played) else 1.0


def _rows_by_day(days_of_bars: dict[str, list[int]]) -> dict[int, list[tuple[str, int]]]:
    rows: dict[int, list[tuple[str, int]]] = {}
    for ticker, days in days_of_bars.items():
        for row, day in enumerate(days):
            rows.setdefault(day, []).append((ticker, row))
    return rows
