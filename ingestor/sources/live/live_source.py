"""A provider's prices as a source: connected again and again, gaps filled before what comes next."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing

import msgspec

from ingestor.sources.live.connecting import Heard
from ingestor.sources.live.feed import Feed
from ingestor.sources.live.filling import Filling, compared_interval
from ingestor.sources.live.line import Line
from ingestor.sources.live.making_up import MakingUp
from ingestor.sources.live.options import LiveOptions
from ingestor.sources.live.outgoing import FILL_NS, Outgoing
from ingestor.sources.live.provider import LiveTick, ProviderAwayError, is_sound
from ingestor.sources.live.roster import short_list
from ingestor.sources.live.roster_desk import RosterDesk
from ingestor.sources.live.splits import Splits
from ingestor.sources.moments import Moment, Position, Rejected, SourceHealth
from ingestor.sources.pace import QUIET_SECONDS
from schemas.errors import StopAndSayError
from schemas.events import Tick
from schemas.times import NS_PER_SECOND, bar_start_ns, interval_ns

_DAY_NS = interval_ns("1d")


class LiveSource:
    """Plays what its providers say, one at a time, with the past before it and in its gaps.

    While a stream is younger than its first whole minute, ticks after the minute that it missed the beginning of wait
    until history has that.

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
        self._subscribed: set[str] = set()
        self._told_ns: dict[str, int] = {}
        splits = Splits(compared_interval(options.interval), int(options.longest_fill_days * _DAY_NS))
        self._outgoing = outgoing = Outgoing(splits)
        self._filling = Filling(feeds, desk, options, outgoing, clock_ns, sleep)
        after_seconds = options.fall_back_seconds
        self._making_up = MakingUp(feeds, desk, after_seconds, outgoing, self._filling, self._troubles)
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
            allowed_silence_seconds=feed.hearing.mute_seconds,
            last_tick_ns=None if last_ns is None else last_ns + feed.delay_ns,
            latency_seconds=None if latency_seconds is None else latency_seconds + feed.delay_ns / NS_PER_SECOND,
        )

    @staticmethod
    def wants_since(place: Position) -> int:
        """Give the event time since which it must know the ticks that a partition with this place has."""
        return bar_start_ns(place[1], FILL_NS)

    def take_up(self, ticks: Sequence[Tick], last_ticks: Mapping[str, Tick]) -> None:
        """Learn what the log has of bars that history may have to complete, and its newest ticks."""
        self._outgoing.take_up(ticks, last_ticks)

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
            async for moment in self._filling.warm_up(self._feed):
                yield moment
        else:
            self._outgoing.go_on(after, places)
        line = Line(self._feeds, self.desk, self._options.return_seconds, self._wall_clock_ns)
        try:
            while True:
                async with aclosing(self._turn(line)) as moments:
                    async for moment in moments:
                        yield moment
        finally:
            await line.close()

    def _trouble(self) -> str | None:
        """Say why nobody plays, if that is not for other tickers that were asked for."""
        if self._opens_anew and self._feed.trouble is None:
            return None
        return f"prices are simulated: {self._troubles()}" if self._making_up.plays else self._troubles()

    def _troubles(self) -> str:
        if len(self._feeds) == 1:
            return self._feed.trouble or "its gap is being filled"
        return "; ".join(f"{feed.name}: {feed.trouble or 'connected'}" for feed in self._feeds)

    def _clock_ns(self) -> int:
        """Give the time up to which a provider that is in time has told everything."""
        return self._feed.told_ns(self._wall_clock_ns())

    async def _turn(self, line: Line) -> AsyncGenerator[Moment, None]:
        """Play whose turn it is, until it is no longer."""
        if not self.desk.roster.playing:
            self._making_up.end()
            await self._open_anew(line)
            await asyncio.sleep(QUIET_SECONDS)
            return
        feed = await line.turn()
        if feed is None:
            for moment in self._making_up.moments(self._feed, self._clock_ns()):
                yield moment
            return
        self._making_up.end()
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

    async def _play(self, feed: Feed, line: Line) -> AsyncGenerator[Moment, None]:
        """Fill the gap, then play what comes, until it breaks, a better provider is back, or other tickers are wanted.

        Where another provider takes over, it may say once more what the one before said: up to there it is not heard.
        """
        whole_ns = self._begin(feed, line.subscribed)
        async for moment in self._filling.catch_up(feed, self._subscribed, whole_ns):
            yield moment
        feed.hearing.connected(self._clock_ns())
        self._plays, self._opens_anew = True, False
        self.desk.sent(self._subscribed)
        while not line.better_is_back:
            heard = await line.next_within(QUIET_SECONDS)
            if heard:
                async for moment in self._filling.tell_splits(feed, self._subscribed):
                    yield moment
            async for moment in self._filling.wait_for_history(feed, heard, whole_ns):
                yield moment
            if not self._follows_roster():
                await self._open_anew(line)
                return
            said = self._moment_of(heard, whole_ns)
            if said is not None:
                yield said

    def _begin(self, feed: Feed, tickers: Sequence[str]) -> int:
        """Let a provider be the one that plays; give the end of the minute that it enters in its midst."""
        if feed is not self._last:
            self._told_ns = self._outgoing.said.newest_ns()
        self._feed = self._last = feed
        self._subscribed = set(tickers)
        self._outgoing.fill_before(self._outgoing.reached_ns)
        return bar_start_ns(self._clock_ns(), FILL_NS) + FILL_NS

    def _follows_roster(self) -> bool:
        """Tell whether all that is to be played comes; what is not to be played any more is not taken any more."""
        playing = set(self.desk.roster.playing)
        self._subscribed &= playing
        return bool(playing) and playing == self._subscribed

    def _moment_of(self, heard: Heard, whole_ns: int) -> Moment | None:
        """Give what was heard, without what has gone out already, and how far everything has come."""
        now_ns = self._clock_ns()
        ticks = [tick for tick in heard if isinstance(tick, LiveTick) and self._is_new(tick)]
        for tick in ticks:
            if is_sound(tick, now_ns + self._feed.delay_ns):
                self._outgoing.note(tick.ticker, tick.time_ns, tick.price, tick.size)
        self.desk.heard(tick.ticker for tick in ticks)
        watermark_ns = self._outgoing.worth_reaching(self._feed.hearing.watermark_ns(now_ns, idle=not heard), whole_ns)
        rejected = self._placed([bad for bad in heard if isinstance(bad, Rejected)])
        if not ticks and not rejected and watermark_ns is None:
            return None
        return Moment(
            position=self._outgoing.next(),
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
            msgspec.structs.replace(bad, place=f"message {self._outgoing.number + 1}.{index}")
            for index, bad in enumerate(rejected)
        ]

    def _is_new(self, tick: LiveTick) -> bool:
        if tick.ticker not in self._subscribed:
            return False
        if self._feed.known.came_before(tick):
            self._feed.figures.passed_over("again")
        elif tick.time_ns < self._outgoing.filled_ns:
            self._feed.figures.passed_over("filled")
        elif self._told_ns and tick.time_ns <= self._told_ns.get(tick.ticker, 0):
            self._feed.figures.passed_over("again")
        else:
            return True
        return False
