"""A provider's prices as a source: connected again and again, gaps filled before what comes next."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing

import msgspec

from ingestor.sources.contents import tickers_text
from ingestor.sources.live.connecting import Connecting
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.hearing import Hearing
from ingestor.sources.live.known import KnownTicks
from ingestor.sources.live.past import bars_by_start
from ingestor.sources.live.provider import BudgetSpentError, LiveTick, Provider, ProviderAwayError
from ingestor.sources.live.said import Addition, SaidBars
from ingestor.sources.live.sessions import Sessions
from ingestor.sources.moments import Moment, Position, Rejected, SourceHealth
from ingestor.sources.pace import QUIET_SECONDS
from schemas.events import Origin, Tick
from schemas.times import NS_PER_SECOND, Interval, bar_start_ns, interval_ns, to_rfc3339

_log = logging.getLogger(__name__)

#: Gaps are filled with bars of this length.
FILL_INTERVAL: Interval = "1m"
_FILL_NS = interval_ns(FILL_INTERVAL)
_DAY_NS = interval_ns("1d")


class MuteError(ProviderAwayError):
    """It is connected, and says nothing although it should."""


class LiveOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a live source is played; seconds, if nothing else is said.

    Attributes:
        source: Its name.
        interval: Of the bars that the stage makes.
        lateness: Watermarks are so far behind the clock.
        mute: Longest silence while the exchange is open.
        warm_up_bars: Before a first start.
        longest_fill_days: Of a longer gap, only so much before now is filled.
    """

    source: str
    tickers: tuple[str, ...]
    interval: Interval
    lateness: float
    mute: float
    warm_up_bars: int
    longest_fill_days: float


class LiveSource:
    """Plays what a provider says, with the past before it and in its gaps.

    A position is (number of the moment, time before which everything has gone out). Everything before `_filled_ns` has
    gone out, or is lost and that was said; while a stream is younger than its first whole minute, ticks after the
    minute that it missed the beginning of wait until history has that.

    Args:
        sessions: When ticks are to be expected.
        clock_ns: The wall clock.
    """

    live = True
    goes_on_from: tuple[str, ...] = ()

    def __init__(
        self,
        provider: Provider,
        sessions: Sessions,
        options: LiveOptions,
        connecting: Connecting,
        figures: LiveFigures,
        clock_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._provider = provider
        self._sessions = sessions
        self._options = options
        self._connecting = connecting
        self._figures = figures
        self._delay_ns = int(provider.traits.delay_seconds * NS_PER_SECOND)
        self._wall_clock_ns = clock_ns
        self._sleep = sleep
        self._mute = max(options.mute, provider.traits.longest_silence_seconds)
        self._hearing = Hearing(sessions, int(options.lateness * NS_PER_SECOND), int(self._mute * NS_PER_SECOND))
        self._known = KnownTicks(provider.traits.identity_ticks)
        self._said = SaidBars(_FILL_NS)
        self._trouble: str | None = "not connected yet"
        self._number = 0
        self._reached_ns = 0
        self._filled_ns = 0
        tickers = tickers_text(options.tickers)
        own = {"source": options.source, "interval": options.interval, "tickers": tickers}
        self.content = own | provider.traits.content
        self.title = f"live prices of {tickers} from {options.source}"

    def health(self) -> SourceHealth:
        """Say whether it is connected, and when it was last heard."""
        trouble, now_ns = self._trouble, self._clock_ns()
        last_ns, latency_seconds = self._hearing.last_tick_ns, self._hearing.latency_seconds
        silent_seconds = self._hearing.silent_ns(now_ns) / NS_PER_SECOND
        if trouble is None and silent_seconds > self._mute / 2:
            trouble = f"connected, but no tick for {silent_seconds:.0f} s while the exchange is open"
        return SourceHealth(
            trouble=trouble,
            expects_ticks=self._sessions.is_open(now_ns),
            last_tick_ns=None if last_ns is None else last_ns + self._delay_ns,
            latency_seconds=None if latency_seconds is None else latency_seconds + self._delay_ns / NS_PER_SECOND,
        )

    async def ticks(
        self,
        after: Position | None,
        last_prices: dict[str, float],  # noqa: ARG002
        places: Collection[Position] = (),
    ) -> AsyncIterator[Moment]:
        """Play for ever, from where the log ends.

        Raises:
            StopAndSayError: The provider refuses the key, or the plan.
        """
        if after is None:
            async for moment in self._warm_up():
                yield moment
        else:
            self._number = after[0]
            self._reached_ns = min((place[1] for place in places), default=after[1])
            self._filled_ns = bar_start_ns(self._reached_ns, _FILL_NS)
        while True:
            try:
                async with aclosing(self._connection()) as moments:
                    async for moment in moments:
                        yield moment
            except ProviderAwayError as error:
                self._lost(error)

    def _clock_ns(self) -> int:
        """Give the time up to which a provider that is in time has told everything."""
        return self._wall_clock_ns() - self._delay_ns

    @staticmethod
    def wants_since(place: Position) -> int:
        """Give the event time since which it must know the ticks that a partition with this place has."""
        return bar_start_ns(place[1], _FILL_NS)

    def take_up(self, ticks: Sequence[Tick]) -> None:
        """Learn what the log has of bars that history may have to complete."""
        for tick in ticks:
            self._said.add(tick.ticker, tick.time_ns, tick.price, tick.size)

    def _lost(self, error: ProviderAwayError) -> None:
        mute = isinstance(error, MuteError)
        self._trouble = str(error)
        self._filled_ns = max(self._filled_ns, bar_start_ns(self._reached_ns, _FILL_NS))
        self._figures.connection_lost("mute" if mute else "away")
        _log.warning("the stream ended, connecting again: %s", error)

    async def _connection(self) -> AsyncGenerator[Moment, None]:
        """Connect, fill the gap, and play what comes until it breaks."""
        async with self._connecting.open(self._tell_trouble) as stream:
            whole_ns = bar_start_ns(self._clock_ns(), _FILL_NS) + _FILL_NS
            async for moment in self._fill(whole_ns):
                yield moment
            self._hearing.connected(self._clock_ns())
            self._trouble = None
            while True:
                heard = await stream.next_within(QUIET_SECONDS)
                async for moment in self._wait_for_history(heard, whole_ns):
                    yield moment
                said = self._moment_of(heard, whole_ns)
                if said is not None:
                    yield said

    def _tell_trouble(self, error: Exception) -> None:
        self._trouble = str(error)

    async def _wait_for_history(self, heard: list[LiveTick | Rejected], whole_ns: int) -> AsyncIterator[Moment]:
        """Fill the minute that was missed in part, once it has ended, before anything later goes out."""
        newest_ns = max((tick.time_ns for tick in heard if isinstance(tick, LiveTick)), default=0)
        settled_ns = int(self._provider.traits.settled_seconds * NS_PER_SECOND)
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
        settled_ns = int(self._provider.traits.settled_seconds * NS_PER_SECOND)
        until_ns = min(until_ns, bar_start_ns(now_ns - settled_ns, _FILL_NS))
        longest_ns = int(self._options.longest_fill_days * _DAY_NS)
        start_ns = max(self._filled_ns, bar_start_ns(now_ns - longest_ns, _FILL_NS))
        if start_ns > self._filled_ns:
            yield self._unfilled(start_ns, f"it is longer than {self._options.longest_fill_days:g} days")
        if until_ns <= start_ns:
            return
        try:
            history = await self._provider.history(self._options.tickers, start_ns, until_ns, FILL_INTERVAL)
        except (ProviderAwayError, BudgetSpentError) as error:
            yield self._unfilled(until_ns, str(error))
            return
        bars = 0
        for bar_ns, played in bars_by_start(history):
            bars += len(played)
            yield self._played(self._said.additions(bar_ns, _FILL_NS, played), Origin.FILLED, bar_ns + _FILL_NS)
        self._figures.gap("filled", bars)
        self._filled_ns = until_ns
        yield self._played([], Origin.FILLED, until_ns)

    def _unfilled(self, until_ns: int, reason: str) -> Moment:
        start, until = to_rfc3339(self._filled_ns), to_rfc3339(until_ns)
        value = msgspec.json.encode({"from": start, "to": until, "tickers": self._options.tickers})
        self._filled_ns = until_ns
        self._figures.gap("unfilled")
        gap = Rejected(
            value=value, code="gap", reason=f"the gap to {until} is not filled: {reason}", place=f"{start}..{until}"
        )
        return Moment(position=self._next(), rejected=[gap])

    async def _warm_up(self) -> AsyncIterator[Moment]:
        """Play the bars before the one that is open now; where there are none, without them."""
        length_ns, now_ns = interval_ns(self._options.interval), self._clock_ns()
        self._filled_ns = bar_start_ns(now_ns, max(length_ns, _FILL_NS))
        count = self._options.warm_up_bars
        if not count or length_ns < _FILL_NS:
            return
        if length_ns == _DAY_NS:
            start_ns = self._sessions.open_back(self._filled_ns, count)
        else:
            start_ns = self._sessions.start_before(self._filled_ns, count * length_ns)
        try:
            history = await self._provider.history(
                self._options.tickers, bar_start_ns(start_ns, length_ns), self._filled_ns, self._options.interval
            )
        except (ProviderAwayError, BudgetSpentError) as error:
            _log.warning("no bars before the start: %s", error)
            return
        for bar_ns, played in bars_by_start(history)[-count:]:
            yield self._played(self._said.additions(bar_ns, length_ns, played), Origin.WARM_UP, bar_ns + length_ns)

    def _played(self, additions: Sequence[Addition], origin: Origin, watermark_ns: int) -> Moment:
        self._reached_ns = max(self._reached_ns, watermark_ns)
        self._said.forget_before(self._reached_ns)
        return Moment(
            position=self._next(),
            tickers=[addition.ticker for addition in additions],
            times_ns=[addition.time_ns for addition in additions],
            prices=[addition.price for addition in additions],
            sizes=[addition.size for addition in additions],
            origin=origin,
            watermark_ns=self._reached_ns,
        )

    def _moment_of(self, heard: list[LiveTick | Rejected], whole_ns: int) -> Moment | None:
        """Give what was heard, without what has gone out already, and how far everything has come."""
        now_ns = self._clock_ns()
        came = [tick for tick in heard if isinstance(tick, LiveTick)]
        if came:
            self._hearing.heard(max(tick.time_ns for tick in came), now_ns)
        elif self._hearing.is_mute(now_ns):
            raise MuteError(f"no tick for {self._mute:g} s while the exchange is open")
        ticks = [tick for tick in came if self._is_new(tick)]
        for tick in ticks:
            self._said.add(tick.ticker, tick.time_ns, tick.price, tick.size)
        watermark_ns = self._advance(self._hearing.watermark_ns(now_ns, idle=not heard), whole_ns)
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
            rejected=rejected,
        )

    def _placed(self, rejected: list[Rejected]) -> list[Rejected]:
        """Give what was rejected with a place in the stream, by which one dead letter differs from the other."""
        return [
            msgspec.structs.replace(bad, place=f"message {self._number + 1}.{index}")
            for index, bad in enumerate(rejected)
        ]

    def _is_new(self, tick: LiveTick) -> bool:
        if self._known.came_before(tick):
            self._figures.passed_over("again")
        elif tick.time_ns < self._filled_ns:
            self._figures.passed_over("filled")
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
