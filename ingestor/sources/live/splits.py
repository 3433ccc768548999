"""Has the scale of prices changed since they were said?

Providers tell splits in different ways, but the history of all of them is on the scale of today. So a price that was
said on an earlier day is held beside what history says of that time now: where it lies outside of its bar by the ratio
of a split, there was one.
"""

import logging
from collections.abc import Mapping, Set
from math import inf, log, sqrt
from typing import NamedTuple

import numpy as np

from ingestor.sources.bars import BarColumns
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.sessions import Sessions
from schemas.events import Tick
from schemas.log_events import LogEvent, about
from schemas.times import NS_PER_SECOND, Interval, bar_start_ns, interval_ns

_log = logging.getLogger(__name__)

#: Where a price's own bar lacks, one up to so long before it will do.
_BACK_NS = interval_ns("1h")
#: What was not answered is asked again after so long, of tickers that have said no price since.
_AGAIN_NS = 60 * NS_PER_SECOND
#: A price may lie so far outside of its bar: providers leave out trades, and dividends change history, too.
_TOLERANCE = 0.03
#: Splits of `n` for `m` of small numbers, and of these many for one, or one for these many.
_SMALL = range(1, 6)
_MANY = (6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 35, 40, 50, 60, 75, 80, 100, 120, 150, 200)
_FACTORS = sorted({m / n for n in _SMALL for m in _SMALL if m != n} | {n**sign for n in _MANY for sign in (1.0, -1.0)})


def split_factor(price: float, low: float, high: float) -> float | None:
    """Tell by what a price must be multiplied to lie in its bar; 1.0: by nothing, None: no split brings it there.

    Args:
        price: As it was said.
        low: Of the bar that holds it, on the scale of today.
        high: Likewise.
    """
    if _within(price, low, high):
        return 1.0
    if low <= 0:
        return None
    ratio = sqrt(low * high) / price
    nearest = min(_FACTORS, key=lambda factor: abs(log(factor / ratio)))
    return nearest if _within(price * nearest, low, high) else None


def _within(price: float, low: float, high: float) -> bool:
    return low * (1 - _TOLERANCE) <= price <= high * (1 + _TOLERANCE)


class Question(NamedTuple):
    """Which bars tell whether the scale has changed: those that start in `[start_ns, end_ns)`."""

    tickers: list[str]
    start_ns: int
    end_ns: int


class Splits:
    """Remembers the last price of each ticker, and compares it once on every later trading day that it plays on.

    Args:
        interval: Of the bars that are compared.
        longest_ns: Of prices that were said longer ago, nothing is asked.
    """

    def __init__(self, interval: Interval, longest_ns: int) -> None:
        self._length_ns = interval_ns(interval)
        self._longest_ns = longest_ns
        self._last: dict[str, tuple[int, float]] = {}
        self._day = -1
        self._unasked: set[str] = set()
        self._failed: frozenset[str] = frozenset()
        self._again_ns = 0

    def note(self, ticker: str, time_ns: int, price: float) -> None:
        """Take a tick that goes out."""
        if 0 < price < inf:
            self._last[ticker] = (time_ns, price)
            self._unasked.discard(ticker)  # a price of today tells nothing of the scale before it

    def take_up(self, last_ticks: Mapping[str, Tick]) -> None:
        """Learn what went out before the start."""
        self._last.update({name: (tick.time_ns, tick.price) for name, tick in last_ticks.items()})

    def last_prices(self) -> dict[str, float]:
        """Give the last price of each ticker."""
        return {ticker: price for ticker, (_, price) in self._last.items()}

    def begin(self, sessions: Sessions, now_ns: int) -> None:
        """Note that all that went out so far is on the scale of now."""
        self._day = sessions.day_of(now_ns)

    def question(self, playing: Set[str], sessions: Sessions, now_ns: int) -> Question | None:
        """Give what must be asked now, before the first price of a ticker on a trading day; None: nothing."""
        day = sessions.day_of(now_ns)
        if day != self._day:
            self._day, self._failed = day, frozenset()
            self._unasked = {
                ticker
                for ticker, (time_ns, _) in self._last.items()
                if sessions.day_of(time_ns) < day and time_ns >= now_ns - self._longest_ns
            }
        asked = self._unasked & playing
        if not asked or (now_ns < self._again_ns and asked <= self._failed):
            return None
        times_ns = [self._last[ticker][0] for ticker in asked]
        first_ns, last_ns = (bar_start_ns(pick(times_ns), self._length_ns) for pick in (min, max))
        return Question(sorted(asked), first_ns - _BACK_NS, last_ns + self._length_ns)

    def unanswered(self, question: Question, now_ns: int) -> None:
        """Note that nobody answered: the same is asked again, after a while."""
        self._failed, self._again_ns = frozenset(question.tickers), now_ns + _AGAIN_NS

    def answer(self, question: Question, history: Mapping[str, BarColumns], figures: LiveFigures) -> dict[str, float]:
        """Give by what the prices of tickers must be multiplied from now on, and say it.

        Args:
            history: What the provider answers now.
        """
        self._unasked.difference_update(question.tickers)
        told: dict[str, float] = {}
        for ticker in question.tickers:
            time_ns, price = self._last[ticker]
            bars = history.get(ticker)
            at = -1 if bars is None else int(np.searchsorted(bars.start_ns, time_ns, side="right")) - 1
            if bars is None or at < 0:
                figures.scale("unknown")
                _log.info("whether %s was split cannot be told: its last price has no bar in history", ticker)
                continue
            low, high = float(bars.low[at]), float(bars.high[at])
            factor = split_factor(price, low, high)
            if factor is None:
                figures.scale("unclear")
                words = "%s: %g was said, history now has %g to %g there, and no split explains it"
                _log.warning(words, ticker, price, low, high)
            elif factor != 1.0:
                told[ticker] = factor
                self._last[ticker] = (time_ns, price * factor)
                figures.scale("told")
                event = about(LogEvent.SPLIT, ticker=ticker, factor=factor)
                _log.warning("%s was split: all prices before are multiplied by %g", ticker, factor, extra=event)
        return told
