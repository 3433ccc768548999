"""What a provider of live prices is to the rest: ticks as they come, and bars of the past."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import NamedTuple, Protocol

from msgspec import Struct

from ingestor.sources.bars import BarColumns
from ingestor.sources.moments import Rejected
from schemas.errors import RetryError, StopAndSayError
from schemas.settings import Settings
from schemas.times import NS_PER_SECOND, Interval


class ProviderAwayError(RetryError):
    """It does not answer, or not well; it may later.

    Args:
        retry_after_seconds: When it wants to be asked again; None: it does not say.
    """

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class BudgetSpentError(RetryError):
    """No request may be sent now, and waiting for the next one would be too long."""


class NoHistoryError(ProviderAwayError):
    """The plan has no bars of the past; asking again would not help."""


@contextmanager
def only_foreseen() -> Iterator[None]:
    """Take an error that nobody foresaw for a provider that is away: an answer of a new form must not end the ingestor.

    Its words are left out: they may hold a key.
    """
    try:
        yield
    except (ProviderAwayError, BudgetSpentError, StopAndSayError, StopAsyncIteration):
        raise
    except Exception as error:
        raise ProviderAwayError(f"what it sent could not be read: {type(error).__name__}") from error


class LiveTick(NamedTuple):
    """A tick as a provider told it.

    Attributes:
        identity: What it is known by among its ticker's when it comes again, like a trade's number; None: nothing.
    """

    ticker: str
    time_ns: int
    price: float
    size: float
    identity: int | str | None = None


#: No clock is so far behind that of a provider.
_FUTURE_NS = 60 * NS_PER_SECOND


def is_sound(tick: LiveTick, now_ns: int) -> bool:
    """Tell whether a tick may be remembered; what comes of another one is said by who validates."""
    return 0 < tick.price < inf and 0 <= tick.size < inf and tick.time_ns <= now_ns + _FUTURE_NS


#: Between two bars of a minute there is nothing for as long, and half of a silence that counts as mute is suspicious.
MINUTE_BARS_SILENCE_SECONDS = 180.0


class Limits(Struct, frozen=True, kw_only=True):
    """How many requests may be sent; None: any number."""

    per_second: int | None = None
    per_minute: int | None = None
    per_day: int | None = None


class Traits(Struct, frozen=True, kw_only=True):
    """What is particular to a provider, by plan and settings.

    Attributes:
        content: What decides which bars of the past it gives: files of bars that were made with others are not used.
        exchange: Whose hours its ticks keep, as `exchange_calendars` calls it.
        settled_seconds: So long after a bar's end its history has it.
        identity_ticks: Of so many ticks back one may come a second time.
        delay_seconds: It says everything so much later than it happens, its bars of the past as well.
        closing_seconds: What was before a close it may still tell for so long after it.
        longest_silence_seconds: Of a session it may well say nothing new for so long; then no setting makes that mute.
        adjusted: Its bars of the past are brought to the new scale after a split, so that they show it.
        not_streamed: Why its prices cannot be played live as it is set, though it has bars of the past; None: they can.
    """

    content: dict[str, str]
    exchange: str = "XNYS"
    settled_seconds: float = 3.0
    identity_ticks: int = 10_000
    delay_seconds: float = 0.0
    closing_seconds: float = 0.0
    longest_silence_seconds: float = 0.0
    adjusted: bool = True
    not_streamed: str | None = None


class ProviderSettings(Settings):
    """What a provider can be told; its keys come also by the variables that its own documents use."""

    @property
    def limits(self) -> Limits:
        """Give what its plan allows."""
        return Limits()


class Provider(Protocol):
    """A provider of live prices. All errors of its client become `ProviderAwayError` or `StopAndSayError`."""

    traits: Traits

    def ticks(self, tickers: Sequence[str]) -> AsyncGenerator[list[LiveTick | Rejected], None]:
        """Connect, subscribe, and give what comes, until the connection ends.

        The first list comes when the subscription holds, and may be empty.

        Raises:
            ProviderAwayError: There is no connection, or it broke.
            StopAndSayError: The key is wrong, or the plan does not allow it.
        """
        ...

    async def history(
        self, tickers: Sequence[str], start_ns: int, end_ns: int, interval: Interval
    ) -> dict[str, BarColumns]:
        """Give the bars that start in `[start_ns, end_ns)`, on the scale of today's prices; {} where it has none.

        Raises:
            ProviderAwayError: It does not answer.
            NoHistoryError: The plan has no bars of the past.
            BudgetSpentError: Asking would cost more than the plan allows.
            StopAndSayError: The key is wrong, or the plan does not allow it.
        """
        ...
