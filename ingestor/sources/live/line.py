"""The streams of a live source: opened as its line-up wants, one of them played, better ones heard beside it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from ingestor.sources.live.connecting import Heard, Stream
from ingestor.sources.live.feed import Feed
from ingestor.sources.live.line_up import HandOver, LineUp, Reason
from ingestor.sources.live.provider import LiveTick, ProviderAwayError, is_sound
from ingestor.sources.live.roster_desk import RosterDesk
from ingestor.sources.pace import QUIET_SECONDS
from schemas.errors import StopAndSayError
from schemas.log_events import LogEvent, about

_log = logging.getLogger(__name__)

#: A provider that refuses is asked again after so long, for keys and plans change.
_REFUSED_SECONDS = 3_600.0
#: Connections that fail before tickers that a command brought are taken for the reason.
_PATIENCE = 3
#: While nobody plays, it is looked so often who could.
_TURN_SECONDS = 0.25
#: So long the end of a stream is waited for; a connection that is dead may need longer.
_CLOSE_SECONDS = 1.0


#: What is said of a provider that nobody needs.
_STANDS_BY = "stands by"


class MuteError(ProviderAwayError):
    """It is connected, and says nothing although it should."""


class _Post:
    """A provider's place: its stream, and what tends that while it is not played."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.tickers: tuple[str, ...] = ()
        self.stream: Stream | None = None
        self.tending: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def stop_tending(self) -> None:
        """Leave the stream as it is."""
        while self.tending is not None and not self.tending.done():
            self.tending.cancel()
            await asyncio.wait({self.tending}, timeout=1.0)
        self.tending = None

    async def close(self) -> None:
        """End its stream."""
        if self.stream is not None:
            self._closing = asyncio.create_task(self.stream.close())
            self.stream = None
            await asyncio.wait({self._closing}, timeout=_CLOSE_SECONDS)


class Line:
    """Providers in a line.

    Args:
        feeds: The preferred one first.
        desk: Has the tickers.
        clock_ns: The wall clock.
        return_seconds: See `LineUp`.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        desk: RosterDesk,
        return_seconds: float,
        clock_ns: Callable[[], int],
    ) -> None:
        self._posts = [_Post(feed) for feed in feeds]
        self._desk = desk
        self._clock_ns = clock_ns
        self._line_up = LineUp(len(feeds), return_seconds, clock_ns())
        self._changed = asyncio.Event()
        self._failures = 0
        self._failed_with: tuple[str, ...] = ()

    async def turn(self) -> Feed | None:
        """Wait a moment until a provider can play, and let it; None: there is none yet.

        Raises:
            StopAndSayError: All of them refuse the key, or the plan.
        """
        self._changed.clear()
        for post in self._posts:
            if post.tending is not None and post.tending.done():
                post.tending.result()  # it never ends but by a fault of ours
        await self._arrange()
        number = self._line_up.due(self._clock_ns())
        if number is not None:
            return await self._take_over(number)
        if self._line_up.all_refused:
            raise StopAndSayError("; ".join(str(post.feed.trouble) for post in self._posts))
        with suppress(TimeoutError):
            async with asyncio.timeout(_TURN_SECONDS):
                await self._changed.wait()
        return None

    async def next_within(self, seconds: float) -> Heard:
        """Give the next piece of who plays; nothing where none comes in time.

        Raises:
            ProviderAwayError: Its stream ended, or is mute.
        """
        number = self._playing
        stream = self._posts[number].stream
        if stream is None:
            raise ValueError("nobody plays")
        heard = await stream.next_within(seconds)
        self._listen(number, heard)
        return heard

    @property
    def subscribed(self) -> tuple[str, ...]:
        """Give the tickers that who plays sends."""
        return self._posts[self._playing].tickers

    @property
    def better_is_back(self) -> bool:
        """Tell whether one has proved itself that is to play rather than who does."""
        return self._line_up.due(self._clock_ns()) != self._line_up.playing

    async def lost(self, error: ProviderAwayError | StopAndSayError) -> None:
        """Let who plays play no longer."""
        await self._end(self._playing, error)

    async def drop(self) -> None:
        """End all streams, without a fault of theirs; who played is the first to be opened again."""
        await self.close()
        self._line_up.drop(self._clock_ns())

    async def close(self) -> None:
        """End all streams."""
        for post in self._posts:
            await post.stop_tending()
            await post.close()

    @property
    def _playing(self) -> int:
        if self._line_up.playing is None:
            raise ValueError("nobody plays")
        return self._line_up.playing

    async def _arrange(self) -> None:
        """Tend the streams that are wanted, and no others."""
        wanted = self._line_up.wanted(self._clock_ns())
        for number, post in enumerate(self._posts):
            if number == self._line_up.playing:
                continue
            if number in wanted and post.tending is None:
                post.tending = asyncio.create_task(self._tend(number))
            elif number not in wanted and post.tending is not None:
                await post.stop_tending()
                await post.close()
                self._line_up.left(number)
                post.feed.trouble = _STANDS_BY

    async def _take_over(self, number: int) -> Feed:
        """Let a provider that is connected play; its stream is read by no one else from here on."""
        before = self._line_up.playing
        post = self._posts[number]
        await post.stop_tending()
        if before is not None and before != number:
            await self._posts[before].close()
            self._line_up.left(before)
            self._posts[before].feed.trouble = _STANDS_BY
        hand_over = self._line_up.play(number, self._clock_ns())
        self._failures = 0
        for each in self._posts:
            each.feed.figures.plays(each is post)
        if hand_over is not None:
            self._say(hand_over)
        await self._arrange()
        return post.feed

    def _say(self, hand_over: HandOver) -> None:
        before, after = (self._posts[number].feed for number in (hand_over.before, hand_over.after))
        after.figures.took_over(before.name, hand_over.reason)
        why = "it is back" if hand_over.reason == "return" else f"{before.name}: {before.trouble}"
        fields = about(LogEvent.HAND_OVER, before=before.name, after=after.name, reason=hand_over.reason)
        _log.warning("%s takes over from %s: %s", after.name, before.name, why, extra=fields)

    async def _tend(self, number: int) -> None:
        """Open a provider's stream, and hear it while another one plays, for ever."""
        post = self._posts[number]
        while True:
            try:
                if post.stream is None:
                    subscribing, failed = partial(self._subscribing, number), partial(self._failed, number)
                    post.stream = await post.feed.connecting.opened(subscribing, failed)
                    self._opened(number)
                if self._line_up.playing is None:  # what comes now is for whoever is about to play
                    await asyncio.sleep(_TURN_SECONDS)
                    continue
                self._listen(number, await post.stream.next_within(QUIET_SECONDS))
            except ProviderAwayError as error:
                await self._end(number, error)
            except StopAndSayError as error:
                if self._line_up.playing is None and self._desk.refused(str(error)):
                    continue
                await self._end(number, error)
                await asyncio.sleep(_REFUSED_SECONDS)

    def _subscribing(self, number: int) -> tuple[str, ...]:
        self._posts[number].tickers = self._desk.roster.playing
        return self._posts[number].tickers

    def _opened(self, number: int) -> None:
        feed, now_ns = self._posts[number].feed, self._clock_ns()
        feed.trouble = None
        feed.hearing.connected(now_ns - feed.delay_ns)
        self._line_up.opened(number, now_ns)
        self._changed.set()

    def _listen(self, number: int, heard: Heard) -> None:
        """Take note of what came, or did not.

        Raises:
            MuteError: Nothing came for too long.
        """
        feed, now_ns = self._posts[number].feed, self._clock_ns()
        hearing, told_ns = feed.hearing, now_ns - feed.delay_ns
        times_ns = [tick.time_ns for tick in heard if isinstance(tick, LiveTick) and is_sound(tick, now_ns)]
        if times_ns:
            hearing.heard(max(times_ns), told_ns)
            self._line_up.heard(number, now_ns)
        elif hearing.is_mute(told_ns):
            raise MuteError(f"{hearing.trouble(told_ns)}")

    def _failed(self, number: int, error: Exception) -> None:
        """Note an attempt that failed; tickers that a command brought may be the reason."""
        self._posts[number].feed.trouble = str(error)
        if self._line_up.playing is None:
            tickers = self._posts[number].tickers
            self._failures = self._failures + 1 if tickers == self._failed_with else 1
            self._failed_with = tickers
            if self._failures >= _PATIENCE:
                self._desk.refused(f"no connection with these tickers: {error}")
        self._line_up.ended(number, "away", self._clock_ns())
        self._changed.set()

    async def _end(self, number: int, error: ProviderAwayError | StopAndSayError) -> None:
        """Close a stream that ended, or that never was."""
        post, reason = self._posts[number], _reason_of(error)
        if post.stream is not None:
            post.feed.figures.connection_lost(reason)
        log = _log.error if reason == "refused" else _log.warning
        log("%s ended: %s", post.feed.name, error)
        post.feed.trouble = str(error)
        post.feed.figures.plays(False)
        self._line_up.ended(number, reason, self._clock_ns())
        await post.close()
        self._changed.set()


def _reason_of(error: Exception) -> Reason:
    if isinstance(error, StopAndSayError):
        return "refused"
    return "mute" if isinstance(error, MuteError) else "away"
