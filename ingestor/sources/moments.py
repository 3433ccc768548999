"""What a source gives: moments, one after the other, each with its place."""

from collections.abc import AsyncIterator, Collection
from typing import Literal, Protocol

from msgspec import Struct

from schemas.events import Origin

#: A moment's place in its source's whole sequence: numbers that compare in playing order.
Position = tuple[int, ...]
#: What can be wrong with an input: a row that cannot be read, one out of order, a field of a tick,
#: a message of a provider that cannot be understood, or a gap in a stream that its provider's history does not fill.
Fault = Literal["row", "order", "price", "size", "ticker", "time", "jump", "message", "gap"]


class Rejected(Struct, frozen=True, kw_only=True):
    """Something that cannot go into the stream.

    Attributes:
        value: The original bytes, or the nearest to them there is.
        code: Kind of fault, for the metric.
        reason: What is wrong and what would be right.
        place: Where it stood in its source, like a line number.
    """

    value: bytes
    code: Fault
    reason: str
    place: str | None = None


class Moment(Struct, frozen=True, kw_only=True, gc=False):
    """What a source says at one place: ticks as columns of equal length, then, maybe, a watermark.

    A source that can be played again from a place gives at most one tick in a moment, so that no frame ends
    inside of one.

    Attributes:
        position: Not below that of the moment before.
        watermark_ns: The source has given everything before this time; applies after the ticks.
        rejected: What it could not read on the way here.
        rescaled: By ticker, by what all prices before must be multiplied to be on the scale of those that follow; a
            moment with it has no ticks.
        provider: Which provider of a live market told the ticks; empty for other sources.
        lost_before_ns: Of what it has not given from before this time, some is lost; such a moment has no ticks.
    """

    position: Position
    tickers: list[str] = []
    times_ns: list[int] = []
    prices: list[float] = []
    sizes: list[float] = []
    origin: Origin = Origin.NORMAL
    watermark_ns: int | None = None
    rejected: list[Rejected] = []
    rescaled: dict[str, float] = {}
    provider: str = ""
    lost_before_ns: int | None = None


class SourceHealth(Struct, frozen=True, kw_only=True):
    """How a source is.

    Attributes:
        trouble: Why nothing good comes from it although it should; None: all is well.
        expects_ticks: Some are to be expected now.
        allowed_silence_seconds: For so long none may well come even then.
        last_tick_ns: When its last tick came, wall clock; None: none has.
        latency_seconds: From that tick's own time to its coming.
        note: What else is to be said of it; empty: nothing.
    """

    trouble: str | None = None
    expects_ticks: bool = True
    allowed_silence_seconds: float = 0.0
    last_tick_ns: int | None = None
    latency_seconds: float | None = None
    note: str = ""

    @property
    def lacks(self) -> str | None:
        """Say why ticks are missing now; None: they come, or none are to be expected."""
        return self.trouble if self.expects_ticks else None


class Source(Protocol):
    """Where ticks come from; its past is `load_history`'s, which opens nothing to be played."""

    @property
    def live(self) -> bool:
        """Tell whether its times are the wall clock's and what was not sent is gone; others play again."""
        ...

    @property
    def content(self) -> dict[str, str]:
        """Give the options that decide what a position means; kept data made with others is refused."""
        ...

    @property
    def goes_on_from(self) -> Collection[str]:
        """Give the tickers whose last prices in the log it resumes from; empty where it knows its own."""
        ...

    @property
    def title(self) -> str:
        """Say what is played."""
        ...

    def ticks(
        self, after: Position | None, last_prices: dict[str, float], places: Collection[Position] = ()
    ) -> AsyncIterator[Moment]:
        """Play, paced, what comes after a position; None: from the beginning.

        Args:
            after: Moments at or before it may be left out.
            last_prices: What the log holds as the newest prices; for a source that resumes from them.
            places: What the partitions have each; for a source that may have grown since.
        """
        ...

    def health(self) -> SourceHealth:
        """Say how it is now; called from any place, at any time."""
        ...
