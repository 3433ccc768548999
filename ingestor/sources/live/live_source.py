"""A provider's prices as a source: connected again and again, gaps filled before what comes next."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing

import msgspec

from ingestor.sources.bars import BarColumns
from ingestor.sources.live.asking import first_history
from ingestor.sources.live.feed import Feed
from ingestor.sources.live.line import Line
from ingestor.sources.live.past import bars_by_start
from ingestor.sources.live.provider import BudgetSpentError, LiveTick, ProviderAwayError, is_sound
from ingestor.sources.live.roster import short_list
from ingestor.sources.live.roster_desk import RosterDesk
from ingestor.sources.live.said import Addition, SaidBars
from ingestor.sources.live.splits import Splits
from ingestor.sources.live.stand_in import MadeUp, StandIn
from ingestor.sources.moments import Moment, Position, Rejected, SourceHealth
from ingestor.sources.pace import QUIET_SECONDS
from schemas.errors import StopAndSayError
from schemas.events import Origin, Tick
from schemas.times import NS_PER_SECOND, Interval, bar_start_ns, interval_ns, to_rfc3339

_log = logging.getLogger(__name__)

#: Gaps are filled with bars of this length.
FILL_INTERVAL: Interval = "1m"
_FILL_NS = interval_ns(FILL_INTERVAL)
_DAY_NS = interval_ns("1d")
#: Stands in the frame for the provider where prices are made up.
STAND_IN = "simulated"


class LiveOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a live source is played.

    Attributes:
        interval: Of the bars that the stage makes.
        warm_up_bars: Before a first start.
        longest_fill_days: Of a longer gap, only so much before now is filled.
        return_seconds: A better provider must be heard for so long before it comes back.
        fall_back_seconds: So long after all are away, prices are made up; None: never.
    """

    interval: Interval
    warm_up_bars: int
    longest_fill_days: float
    return_seconds: float = 60.0
    fall_back_seconds: float | None = None


def _compared(interval: Interval) -> Interval:
    """Give the length of the bars that tell splits."""
    return "1d" if interval == "1d" else FILL_INTERVAL


class LiveSource:
    """Plays what its providers say, one at a time, with the past before it and in its gaps.

    A position is (number of the moment, time before which everything has gone out). Everything before `_filled_ns` has
    gone out, or is lost and that was said; while a stream is younger than its first whole minute, ticks after the
    minute that it missed the beginning of wait until history has that.

    Args:
        feeds: Its providers, the preferred one first.
        desk: Has the tickers, which commands may change.
        clock_ns: The wall clock.
    """

    live = True
    goes_on_from: tuple[str, ...] = ()

    def __init__(
        self,
        feeds: Sequence[Feed],
        desk: RosterDesk,
        options: LiveOptions,
        clock_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._feeds = feeds
        self._feed = feeds[0]
        self._last: Feed | None = None
        self._plays = False
        self._opens_anew = False
        self.desk = desk
        self._options = options
        self._wall_clock_ns = clock_ns
        self._sleep = sleep
        self._said = SaidBars(_FILL_NS)
        self._subscribed: set[str] = set()
        seconds = options.fall_back_seconds
        self._stand_in = StandIn(None if seconds is None else int(seconds * NS_PER_SECOND))
        self._splits = Splits(_compared(options.interval), int(options.longest_fill_days * _DAY_NS))
        self._number = 0
        self._reached_ns = 0
        self._told_ns: dict[str, int] = {}
        self._filled_ns = 0
        self.content = {"source": "live", "interval": options.interval}  # its providers and tickers may change

    @property
    def title(self) -> str:
        """Say what is played."""
        providers = ",".join(feed.name for feed in self._feeds)
        return f"live prices of {short_list(self.desk.roster.playing) or 'nothing'} from {providers}"

    def health(self) -> SourceHealth:
        """Say whether it is connected, and when it was last heard."""
        feed, now_ns, wanted = self._feed, self._clock_ns(), bool(self.desk.roster.playing)
        last_ns, latency_seconds = feed.hearing.last_tick_ns, feed.hearing.latency_seconds
        return SourceHealth(
            trouble=(feed.hearing.trouble(now_ns) if self._plays else self._trouble()) if wanted else None,
            expects_ticks=wanted and feed.sessions.is_open(now_ns),
            last_tick_ns=None if last_ns is None else last_ns + feed.delay_ns,
            latency_seconds=None if latency_seconds is None else latency_seconds + feed.delay_ns / NS_PER_SECOND,
        )

    def _trouble(self) -> str | None:
        """Say why nobody plays, if that is not for other tickers that were asked for."""
        if self._opens_anew and self._feed.trouble is None:
            return None
        return f"prices are simulated: {self._troubles()}" if self._stand_in.plays else self._troubles()

    def _troubles(self) -> str:
        if len(self._feeds) == 1:
            return self._feed.trouble or "its gap is being filled"
        return "; ".join(f"{feed.name}: {feed.trouble or 'connected'}" for feed in self._feeds)

    async def ticks(
        self,
        after: Position | None,
        last_prices: dict[str, float],  # noqa: ARG002
        places: Collection[Position] = (),
    ) -> AsyncIterator[Moment]:
        """Play for ever, from where the log ends.

        Raises:
            StopAndSayError: All providers refuse the key, or the plan.
        """
        if after is None:
            async for moment in self._warm_up():
                yield moment
        else:
            self._number = after[0]
            self._reached_ns = min((place[1] for place in places), default=after[1])
            self._filled_ns = bar_start_ns(self._reached_ns, _FILL_NS)
        line = Line(self._feeds, self.desk, self._options.return_seconds, self._wall_clock_ns)
        try:
            while True:
                async with aclosing(self._turn(line)) as moments:
                    async for moment in moments:
                        yield moment
        finally:
            await line.close()

    async def _turn(self, line: Line) -> AsyncGenerator[Moment, None]:
        """Play whose turn it is, until it is no longer."""
        if not self.desk.roster.playing:
            self._end_made_up()
            await self._open_anew(line)
            await asyncio.sleep(QUIET_SECONDS)
            return
        feed = await line.turn()
        if feed is None:
            for moment in self._made_up():
                yield moment
            return
        self._end_made_up()
        try:
            async with aclosing(self._play(feed, line)) as moments:
                async for moment in moments:
                    yield moment
        except ProviderAwayError as error:
            await line.lost(error)
        except StopAndSayError as error:
            if self.desk.refused(str(error)):
                await self._open_anew(line)
            else:
                await line.lost(error)
        finally:
            self._plays = False

    async def _open_anew(self, line: Line) -> None:
        """End the streams for others with other tickers, which is no trouble."""
        self._opens_anew = True
        await line.drop()

    def _clock_ns(self) -> int:
        """Give the time up to which a provider that is in time has told everything."""
        return self._wall_clock_ns() - self._feed.delay_ns

    @staticmethod
    def wants_since(place: Position) -> int:
        """Give the event time since which it must know the ticks that a partition with this place has."""
        return bar_start_ns(place[1], _FILL_NS)

    def take_up(self, ticks: Sequence[Tick], last_ticks: Mapping[str, Tick]) -> None:
        """Learn what the log has of bars that history may have to complete, and its newest ticks."""
        self._splits.take_up(last_ticks)
        for tick in ticks:
            self._said.add(tick.ticker, tick.time_ns, tick.price, tick.size)

    async def _play(self, feed: Feed, line: Line) -> AsyncGenerator[Moment, None]:
        """Fill the gap, then play what comes, until it breaks, a better provider is back, or other tickers are wanted.

        Where another provider takes over, it may say once more what the one before said: up to there it is not heard.
        """
        whole_ns = self._begin(feed, line.subscribed)
        async for moment in self._catch_up(whole_ns):
            yield moment
        feed.hearing.connected(self._clock_ns())
        self._plays, self._opens_anew = True, False
        self.desk.sent(self._subscribed)
        while not line.better_is_back:
            heard = await line.next_within(QUIET_SECONDS)
            if heard:
                async for moment in self._tell_splits():
                    yield moment
            async for moment in self._wait_for_history(heard, whole_ns):
                yield moment
            if not self._follows_roster():
                await self._open_anew(line)
                return
            said = self._moment_of(heard, whole_ns)
            if said is not None:
                yield said

    def _made_up(self) -> Iterator[Moment]:
        """Give made-up ticks, while all providers are away and the exchange is open, if they are wanted."""
        now_ns = self._clock_ns()
        if not self._feed.sessions.is_open(now_ns):
            self._end_made_up()
            return
        if self._stand_in.is_due(now_ns):
            last = self._splits.last_prices()
            prices = {ticker: last[ticker] for ticker in self.desk.roster.playing if ticker in last}
            if not prices:
                return
            self._stand_in.begin(prices, self._number, now_ns)
            self._feeds[0].figures.of(STAND_IN).plays(True)
            _log.warning("all are away: prices are made up from here on: %s", self._troubles())
            self._filled_ns = max(self._filled_ns, bar_start_ns(self._reached_ns, _FILL_NS))
            if self._filled_ns < bar_start_ns(now_ns, _FILL_NS):
                yield self._unfilled(bar_start_ns(now_ns, _FILL_NS), "prices are made up after it")
        if self._stand_in.plays:
            yield self._made_up_moment(self._stand_in.take(now_ns))

    def _made_up_moment(self, made_up: MadeUp) -> Moment:
        playing = set(self.desk.roster.playing)
        rows = [row for row in zip(*made_up.columns, made_up.times_ns, strict=True) if row[0] in playing]
        for ticker, price, size, time_ns in rows:
            self._said.add(ticker, time_ns, price, size)
        if made_up.mark_ns is not None:
            self._reached_ns = max(self._reached_ns, made_up.mark_ns)
            self._said.forget_before(bar_start_ns(self._reached_ns, _FILL_NS))
        return Moment(
            position=self._next(),
            tickers=[ticker for ticker, _, _, _ in rows],
            times_ns=[time_ns for _, _, _, time_ns in rows],
            prices=[price for _, price, _, _ in rows],
            sizes=[size for _, _, size, _ in rows],
            origin=Origin.SIMULATED,
            watermark_ns=None if made_up.mark_ns is None else self._reached_ns,
            provider=STAND_IN,
        )

    def _end_made_up(self) -> None:
        if self._stand_in.plays:
            self._feeds[0].figures.of(STAND_IN).plays(False)
            _log.warning("prices are made up no more")
        self._stand_in.end()

    def _begin(self, feed: Feed, tickers: Sequence[str]) -> int:
        """Let a provider be the one that plays; give the end of the minute that it enters in its midst."""
        if feed is not self._last:
            self._told_ns = self._said.newest_ns()
        self._feed = self._last = feed
        self._subscribed = set(tickers)
        self._filled_ns = max(self._filled_ns, bar_start_ns(self._reached_ns, _FILL_NS))
        return bar_start_ns(self._clock_ns(), _FILL_NS) + _FILL_NS

    async def _catch_up(self, whole_ns: int) -> AsyncIterator[Moment]:
        """Play what lies between what went out and what comes."""
        for moment in self._missed():
            yield moment
        async for moment in self._tell_splits():
            yield moment
        async for moment in self._fill(whole_ns):
            yield moment

    def _follows_roster(self) -> bool:
        """Tell whether all that is to be played comes; what is not to be played any more is not taken any more."""
        playing = set(self.desk.roster.playing)
        self._subscribed &= playing
        return bool(playing) and playing == self._subscribed

    def _missed(self) -> Iterator[Moment]:
        """Say what lacks of those that come new: the others have gone on, so their past would come too late."""
        held, missed = self.desk.held, dict[int, list[str]]()
        first_bar_ns = bar_start_ns(self._filled_ns, interval_ns(self._options.interval))
        for ticker in sorted(self._subscribed - set(held.playing)):
            paused_ns = held.paused_ns.get(ticker)
            since_ns = first_bar_ns if paused_ns is None else paused_ns - self._feed.delay_ns
            if since_ns < self._filled_ns:
                missed.setdefault(since_ns, []).append(ticker)
        for since_ns, tickers in missed.items():
            gap = self._gap(since_ns, self._filled_ns, tickers, "they were not played")
            yield Moment(position=self._next(), rejected=[gap])  # the others have lost nothing

    async def _tell_splits(self) -> AsyncIterator[Moment]:
        """Say, before the first prices of a trading day, which tickers have another scale than what was said before."""
        if not self._feed.provider.traits.adjusted:
            return
        question = self._splits.question(self._subscribed, self._feed.sessions, self._clock_ns())
        if question is None:
            return
        try:
            history = await self._history(question.start_ns, question.end_ns, _compared(self._options.interval))
        except (ProviderAwayError, BudgetSpentError) as error:
            self._splits.unanswered(question, self._clock_ns())
            self._feed.figures.scale("unknown", len(question.tickers))
            _log.warning("whether %s were split cannot be told: %s", ", ".join(question.tickers), error)
            return
        factors = self._splits.answer(question, history, self._feed.figures)
        if factors:
            self._said.rescale(factors)
            yield Moment(position=self._next(), rescaled=factors, provider=self._feed.name)

    async def _wait_for_history(self, heard: list[LiveTick | Rejected], whole_ns: int) -> AsyncIterator[Moment]:
        """Fill the minute that was missed in part, once it has ended, before anything later goes out."""
        newest_ns = max((tick.time_ns for tick in heard if isinstance(tick, LiveTick)), default=0)
        settled_ns = self._feed.settled_ns
        while self._filled_ns < whole_ns:
            there_ns = self._filled_ns + _FILL_NS + settled_ns
            wait_ns = there_ns - self._clock_ns()
            if wait_ns > 0 and newest_ns < self._filled_ns + _FILL_NS:
                return
            await self._sleep(max(0, wait_ns) / NS_PER_SECOND)
            async for moment in self._fill(whole_ns):
                yield moment

    async def _fill(self, until_ns: int) -> AsyncIterator[Moment]:
        """Play what history has, before a time, of what has not gone out; what it does not give is said."""
        now_ns = self._clock_ns()
        settled_ns = self._feed.settled_ns
        until_ns = min(until_ns, bar_start_ns(now_ns - settled_ns, _FILL_NS))
        longest_ns = int(self._options.longest_fill_days * _DAY_NS)
        start_ns = max(self._filled_ns, bar_start_ns(now_ns - longest_ns, _FILL_NS))
        if start_ns > self._filled_ns:
            yield self._unfilled(start_ns, f"it is longer than {self._options.longest_fill_days:g} days")
        if until_ns <= start_ns:
            return
        try:
            history = await self._history(start_ns, until_ns, FILL_INTERVAL)
        except (ProviderAwayError, BudgetSpentError) as error:
            yield self._unfilled(until_ns, str(error))
            return
        if not history and self._said.any_since(start_ns):
            yield self._unfilled(until_ns, "history has nothing of it, though ticks came")
            return
        bars = 0
        for bar_ns, played in bars_by_start(history):
            bars += len(played)
            yield self._played(self._said.additions(bar_ns, _FILL_NS, played), Origin.FILLED, bar_ns + _FILL_NS)
        self._feed.figures.gap("filled", bars)
        self._filled_ns = until_ns
        yield self._played([], Origin.FILLED, until_ns)

    async def _history(self, start_ns: int, end_ns: int, interval: Interval) -> dict[str, BarColumns]:
        """Ask whose ticks are played, then, where the market was open, the others."""
        tickers = self.desk.roster.playing
        feeds = [self._feed]
        if self._feed.sessions.open_ns_between(start_ns, end_ns):
            feeds += [feed for feed in self._feeds if feed is not self._feed]
        providers = [feed.provider for feed in feeds]
        return await first_history(providers, tickers, start_ns, end_ns, interval)

    def _unfilled(self, until_ns: int, reason: str) -> Moment:
        start_ns, self._filled_ns = self._filled_ns, until_ns
        gap = self._gap(start_ns, until_ns, self.desk.roster.playing, reason)
        return Moment(position=self._next(), rejected=[gap], lost_before_ns=until_ns)

    def _gap(self, start_ns: int, until_ns: int, tickers: Sequence[str], reason: str) -> Rejected:
        start, until = to_rfc3339(start_ns), to_rfc3339(until_ns)
        value = msgspec.json.encode({"from": start, "to": until, "tickers": tickers})
        self._feed.figures.gap("unfilled")
        return Rejected(
            value=value, code="gap", reason=f"the gap to {until} is not filled: {reason}", place=f"{start}..{until}"
        )

    async def _warm_up(self) -> AsyncIterator[Moment]:
        """Play the bars before the one that is open now; where there are none, without them."""
        length_ns, now_ns = interval_ns(self._options.interval), self._clock_ns()
        self._filled_ns = bar_start_ns(now_ns, max(length_ns, _FILL_NS))
        count = self._options.warm_up_bars
        if not count or length_ns < _FILL_NS:
            return
        if length_ns == _DAY_NS:
            start_ns = self._feed.sessions.open_back(self._filled_ns, count)
        else:
            start_ns = self._feed.sessions.start_before(self._filled_ns, count * length_ns)
        try:
            history = await self._history(bar_start_ns(start_ns, length_ns), self._filled_ns, self._options.interval)
        except (ProviderAwayError, BudgetSpentError) as error:
            _log.warning("no bars before the start: %s", error)
            return
        for bar_ns, played in bars_by_start(history)[-count:]:
            yield self._played(self._said.additions(bar_ns, length_ns, played), Origin.WARM_UP, bar_ns + length_ns)
        self._splits.begin(self._feed.sessions, now_ns)

    def _played(self, additions: Sequence[Addition], origin: Origin, watermark_ns: int) -> Moment:
        self._reached_ns = max(self._reached_ns, watermark_ns)
        self._said.forget_before(self._reached_ns)
        for addition in additions:
            self._splits.note(addition.ticker, addition.time_ns, addition.price)
        return Moment(
            position=self._next(),
            tickers=[addition.ticker for addition in additions],
            times_ns=[addition.time_ns for addition in additions],
            prices=[addition.price for addition in additions],
            sizes=[addition.size for addition in additions],
            origin=origin,
            watermark_ns=self._reached_ns,
            provider=self._feed.name,
        )

    def _moment_of(self, heard: list[LiveTick | Rejected], whole_ns: int) -> Moment | None:
        """Give what was heard, without what has gone out already, and how far everything has come."""
        now_ns = self._clock_ns()
        came = [tick for tick in heard if isinstance(tick, LiveTick)]
        ticks = [tick for tick in came if self._is_new(tick)]
        for tick in ticks:
            if is_sound(tick, now_ns + self._feed.delay_ns):
                self._said.add(tick.ticker, tick.time_ns, tick.price, tick.size)
                self._splits.note(tick.ticker, tick.time_ns, tick.price)
        watermark_ns = self._advance(self._feed.hearing.watermark_ns(now_ns, idle=not heard), whole_ns)
        rejected = self._placed([bad for bad in heard if isinstance(bad, Rejected)])
        if not ticks and not rejected and watermark_ns is None:
            return None
        return Moment(
            position=self._next(),
            tickers=[tick.ticker for tick in ticks],
            times_ns=[tick.time_ns for tick in ticks],
            prices=[tick.price for tick in ticks],
            sizes=[tick.size for tick in ticks],
            watermark_ns=watermark_ns,
            provider=self._feed.name,
            rejected=rejected,
        )

    def _placed(self, rejected: list[Rejected]) -> list[Rejected]:
        """Give what was rejected with a place in the stream, by which one dead letter differs from the other."""
        return [
            msgspec.structs.replace(bad, place=f"message {self._number + 1}.{index}")
            for index, bad in enumerate(rejected)
        ]

    def _is_new(self, tick: LiveTick) -> bool:
        if tick.ticker not in self._subscribed:
            return False
        if self._feed.known.came_before(tick):
            self._feed.figures.passed_over("again")
        elif tick.time_ns < self._filled_ns:
            self._feed.figures.passed_over("filled")
        elif self._told_ns and tick.time_ns <= self._told_ns.get(tick.ticker, 0):
            self._feed.figures.passed_over("again")
        else:
            return True
        return False

    def _advance(self, watermark_ns: int | None, whole_ns: int) -> int | None:
        """Give a watermark that is above the last one by enough to be worth a frame; a missed minute holds it back."""
        if watermark_ns is None:
            return None
        if self._filled_ns < whole_ns:
            watermark_ns = min(watermark_ns, self._filled_ns)
        if watermark_ns - self._reached_ns < QUIET_SECONDS * NS_PER_SECOND:
            return None
        self._reached_ns = watermark_ns
        self._said.forget_before(bar_start_ns(watermark_ns, _FILL_NS))
        return watermark_ns

    def _next(self) -> Position:
        self._number += 1
        return (self._number, self._reached_ns)
