"""The past in a live stream: before a first start, in gaps, and to tell splits."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence, Set

import msgspec

from ingestor.sources.bars import BarColumns
from ingestor.sources.live.asking import first_history
from ingestor.sources.live.connecting import Heard
from ingestor.sources.live.feed import Feed
from ingestor.sources.live.options import LiveOptions
from ingestor.sources.live.outgoing import FILL_INTERVAL, FILL_NS, Outgoing
from ingestor.sources.live.past import bars_by_start
from ingestor.sources.live.provider import BudgetSpentError, LiveTick, Provider, ProviderAwayError, is_sound
from ingestor.sources.live.roster_desk import RosterDesk
from ingestor.sources.moments import Moment, Rejected
from schemas.errors import StopAndSayError
from schemas.events import Origin
from schemas.times import NS_PER_SECOND, Interval, bar_start_ns, interval_ns, to_rfc3339

_log = logging.getLogger(__name__)

_DAY_NS = interval_ns("1d")
#: Live ticks wait behind a gap, and the one who died is the next to be asked: so long, for each.
_OTHERS_SECONDS = 5.0
#: Nobody gave the bars that were asked for.
_UNANSWERED = (ProviderAwayError, BudgetSpentError)
_NOTHING_THERE = "history has nothing of it, though ticks came"


def compared_interval(interval: Interval) -> Interval:
    """Give the length of the bars that tell splits."""
    return "1d" if interval == "1d" else FILL_INTERVAL


class Filling:
    """Plays what history has, and says what it lacks.

    Args:
        feeds: All providers: where one has nothing, the next is asked.
        desk: Has the tickers.
        outgoing: What went out.
        clock_ns: The wall clock.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        desk: RosterDesk,
        options: LiveOptions,
        outgoing: Outgoing,
        clock_ns: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._feeds = feeds
        self._desk = desk
        self._options = options
        self._outgoing = outgoing
        self._clock_ns = clock_ns
        self._sleep = sleep

    async def warm_up(self, feed: Feed) -> AsyncIterator[Moment]:
        """Play the bars before the one that is open now; where there are none, without them."""
        length_ns, now_ns = interval_ns(self._options.interval), feed.told_ns(self._clock_ns())
        self._outgoing.filled_ns = end_ns = bar_start_ns(now_ns, max(length_ns, FILL_NS))
        count = self._options.warm_up_bars
        if not count or length_ns < FILL_NS:
            return
        if length_ns == _DAY_NS:
            start_ns = feed.sessions.open_back(end_ns, count)
        else:
            start_ns = feed.sessions.start_before(end_ns, count * length_ns)
        try:
            first_ns = bar_start_ns(start_ns, length_ns)
            history = await self._history(feed, first_ns, end_ns, self._options.interval, others_seconds=None)
        except _UNANSWERED as error:
            _log.warning("no bars before the start: %s", error)
            return
        for bar_ns, played in bars_by_start(history)[-count:]:
            additions = self._outgoing.said.additions(bar_ns, length_ns, played)
            yield self._outgoing.past(additions, Origin.WARM_UP, bar_ns + length_ns, feed.name)
        self._outgoing.splits.begin(feed.sessions, now_ns)

    async def catch_up(self, feed: Feed, subscribed: Set[str], whole_ns: int) -> AsyncIterator[Moment]:
        """Play what lies between what went out and what comes."""
        for moment in self._missed(feed, subscribed):
            yield moment
        async for moment in self.tell_splits(feed, subscribed):
            yield moment
        async for moment in self._fill(feed, whole_ns):
            yield moment

    async def tell_splits(self, feed: Feed, subscribed: Set[str]) -> AsyncIterator[Moment]:
        """Say, before the first prices of a trading day, which tickers have another scale than what was said before."""
        if not feed.provider.traits.adjusted:
            return
        splits, now_ns = self._outgoing.splits, feed.told_ns(self._clock_ns())
        question = splits.question(subscribed, feed.sessions, now_ns)
        if question is None:
            return
        compared = compared_interval(self._options.interval)
        try:
            history = await self._history(feed, question.start_ns, question.end_ns, compared)
        except _UNANSWERED as error:
            splits.unanswered(question, feed.told_ns(self._clock_ns()))
            feed.figures.scale("unknown", len(question.tickers))
            _log.warning("whether %s were split cannot be told: %s", ", ".join(question.tickers), error)
            return
        factors = splits.answer(question, history, feed.figures)
        if factors:
            self._outgoing.said.rescale(factors)
            yield Moment(position=self._outgoing.next(), rescaled=factors, provider=feed.name)

    async def wait_for_history(self, feed: Feed, heard: Heard, whole_ns: int) -> AsyncIterator[Moment]:
        """Fill the minute that was missed in part, once it has ended, before anything later goes out."""
        now_ns = self._clock_ns()
        sound = (tick for tick in heard if isinstance(tick, LiveTick) and is_sound(tick, now_ns))
        newest_ns = max((tick.time_ns for tick in sound), default=0)
        while self._outgoing.filled_ns < whole_ns:
            end_ns = self._outgoing.filled_ns + FILL_NS
            wait_ns = end_ns + feed.settled_ns - feed.told_ns(self._clock_ns())
            if wait_ns > 0 and newest_ns < end_ns:
                return
            await self._sleep(max(0, wait_ns) / NS_PER_SECOND)
            async for moment in self._fill(feed, whole_ns):
                yield moment

    def leave_out(self, feed: Feed, until_ns: int, reason: str) -> Moment:
        """Say that nothing is known of what lies between what went out and a time."""
        start_ns, self._outgoing.filled_ns = self._outgoing.filled_ns, until_ns
        gap = _gap(feed, start_ns, until_ns, self._desk.roster.playing, reason)
        return Moment(position=self._outgoing.next(), rejected=[gap], lost_before_ns=until_ns)

    async def _fill(self, feed: Feed, until_ns: int) -> AsyncIterator[Moment]:
        """Play what history has, before a time, of what has not gone out; what it does not give is said."""
        outgoing, now_ns = self._outgoing, feed.told_ns(self._clock_ns())
        until_ns = min(until_ns, bar_start_ns(now_ns - feed.settled_ns, FILL_NS))
        longest_ns = int(self._options.longest_fill_days * _DAY_NS)
        start_ns = max(outgoing.filled_ns, bar_start_ns(now_ns - longest_ns, FILL_NS))
        if start_ns > outgoing.filled_ns:
            yield self.leave_out(feed, start_ns, f"it is longer than {self._options.longest_fill_days:g} days")
        if until_ns <= start_ns:
            return
        try:
            ticked = outgoing.said.tickers_since(start_ns) & set(self._desk.roster.playing)
            history = await self._complete(feed, start_ns, until_ns, ticked)
        except _UNANSWERED as error:
            yield self.leave_out(feed, until_ns, str(error))
            return
        lacking = sorted(ticked - history.keys())
        if lacking and not history:
            yield self.leave_out(feed, until_ns, _NOTHING_THERE)
            return
        if lacking:
            gap = _gap(feed, start_ns, until_ns, lacking, _NOTHING_THERE)
            yield Moment(position=outgoing.next(), rejected=[gap])  # the others have lost nothing
        bars = 0
        for bar_ns, played in bars_by_start(history):
            bars += len(played)
            additions = outgoing.said.additions(bar_ns, FILL_NS, played)
            yield outgoing.past(additions, Origin.FILLED, bar_ns + FILL_NS, feed.name)
        feed.figures.gap("filled", bars)
        outgoing.filled_ns = until_ns
        yield outgoing.past([], Origin.FILLED, until_ns, feed.name)

    def _missed(self, feed: Feed, subscribed: Set[str]) -> Iterator[Moment]:
        """Say what lacks of those that come new: the others have gone on, so their past would come too late."""
        held, missed, filled_ns = self._desk.held, dict[int, list[str]](), self._outgoing.filled_ns
        first_bar_ns = bar_start_ns(filled_ns, interval_ns(self._options.interval))
        for ticker in sorted(subscribed - set(held.playing)):
            paused_ns = held.paused_ns.get(ticker)
            since_ns = first_bar_ns if paused_ns is None else feed.told_ns(paused_ns)
            if since_ns < filled_ns:
                missed.setdefault(since_ns, []).append(ticker)
        for since_ns, tickers in missed.items():
            gap = _gap(feed, since_ns, filled_ns, tickers, "they were not played")
            yield Moment(position=self._outgoing.next(), rejected=[gap])  # the others have lost nothing

    async def _complete(self, feed: Feed, start_ns: int, end_ns: int, ticked: Set[str]) -> dict[str, BarColumns]:
        """Ask for a gap; the others once more for those that ticked in it, and of which there is nothing."""
        history = await self._history(feed, start_ns, end_ns, FILL_INTERVAL)
        lacking, others = sorted(ticked - history.keys()), self._others(feed)
        if not history or not lacking or not others:
            return history
        try:
            more = await first_history(others, lacking, start_ns, end_ns, FILL_INTERVAL, _OTHERS_SECONDS)
        except (*_UNANSWERED, StopAndSayError):
            return history
        return history | more

    async def _history(
        self,
        feed: Feed,
        start_ns: int,
        end_ns: int,
        interval: Interval,
        others_seconds: float | None = _OTHERS_SECONDS,
    ) -> dict[str, BarColumns]:
        """Ask whose ticks are played, then, where the market was open, the others."""
        others = self._others(feed) if feed.sessions.open_ns_between(start_ns, end_ns) else []
        tickers = self._desk.roster.playing
        return await first_history([feed.provider, *others], tickers, start_ns, end_ns, interval, others_seconds)

    def _others(self, feed: Feed) -> list[Provider]:
        return [other.provider for other in self._feeds if other is not feed]


def _gap(feed: Feed, start_ns: int, until_ns: int, tickers: Sequence[str], reason: str) -> Rejected:
    start, until = to_rfc3339(start_ns), to_rfc3339(until_ns)
    value = msgspec.json.encode({"from": start, "to": until, "tickers": tickers})
    feed.figures.gap("unfilled")
    return Rejected(
        value=value, code="gap", reason=f"the gap to {until} is not filled: {reason}", place=f"{start}..{until}"
    )
