"""When an exchange is open."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any, NamedTuple

from ingestor.sources.live.packages import live_package
from schemas.errors import StopAndSayError
from schemas.times import NS_PER_SECOND

#: Sessions are known so far around the start of the process; after that, nothing is taken for mute.
_PAST_DAYS, _COMING_DAYS = 800, 370


class Session(NamedTuple):
    """One stretch of time, `[open, close)`."""

    open_ns: int
    close_ns: int


class Sessions:
    """Sessions of an exchange, in order of time.

    Args:
        breaks: When it rests within them (lunch in Tokyo), in order of time.
    """

    def __init__(self, sessions: Sequence[Session], breaks: Sequence[Session] = ()) -> None:
        self._sessions, self._breaks = sessions, breaks
        self._opens = [session.open_ns for session in sessions]
        self._days = [(before.close_ns + after.open_ns) // 2 for before, after in pairwise(sessions)]

    def open_ns_between(self, start_ns: int, end_ns: int) -> int:
        """Give how long the exchange was open within `[start, end)`, in nanoseconds."""
        return _shared_ns(self._sessions, start_ns, end_ns) - _shared_ns(self._breaks, start_ns, end_ns)

    def between(self, start_ns: int, end_ns: int) -> list[Session]:
        """Give the sessions that lie within `[start, end)` as a whole."""
        first = bisect_left(self._opens, start_ns)
        return [session for session in self._sessions[first:] if session.close_ns <= end_ns]

    def day_of(self, time_ns: int) -> int:
        """Give the number of the trading day of a time: it begins halfway between a close and the next open."""
        return bisect_right(self._days, time_ns)

    def is_open(self, time_ns: int) -> bool:
        """Tell whether the exchange is open at a time."""
        return self.open_ns_between(time_ns, time_ns + 1) > 0

    def open_back(self, time_ns: int, count: int) -> int:
        """Give the open of the so-many-th last session that opened before a time; the first known where too few did."""
        if not self._opens:
            return time_ns
        return self._opens[max(0, bisect_left(self._opens, time_ns) - count)]

    def start_before(self, time_ns: int, open_ns: int) -> int:
        """Give the open of the latest session from which the exchange was open for so long before a time.

        The first session known where they are too few.
        """
        for session in reversed(self._sessions[: bisect_right(self._opens, time_ns)]):
            if self.open_ns_between(session.open_ns, time_ns) >= open_ns:
                return session.open_ns
        return self._opens[0] if self._opens else time_ns


def _shared_ns(stretches: Sequence[Session], start_ns: int, end_ns: int) -> int:
    first = max(0, bisect_right(stretches, start_ns, key=lambda stretch: stretch.open_ns) - 1)
    total_ns = 0
    for stretch in islice(stretches, first, None):
        if stretch.open_ns >= end_ns:
            break
        total_ns += max(0, min(end_ns, stretch.close_ns) - max(start_ns, stretch.open_ns))
    return total_ns


def load_sessions(exchange: str, now_ns: int, past_days: int = _PAST_DAYS) -> Sessions:
    """Load the sessions of an exchange around now.

    Args:
        exchange: As `exchange_calendars` calls it: `XNYS`, `XETR`, `24/7`.
        past_days: So far back.

    Raises:
        StopAndSayError: There is no such exchange, its holidays are not known up to now, or the package is missing.
    """
    calendars = live_package("exchange_calendars")
    now = datetime.fromtimestamp(now_ns / NS_PER_SECOND, UTC).replace(tzinfo=None)
    start, end = now - timedelta(days=past_days), now + timedelta(days=_COMING_DAYS)
    try:
        calendar = _calendar(calendars, exchange, start, end)
    except calendars.errors.InvalidCalendarName as error:
        raise StopAndSayError(f"TICKCAST_SOURCE_EXCHANGE {exchange!r}: give an exchange like XNYS, or 24/7") from error
    except ValueError:
        # Some know their holidays of a few years only.
        known = type(calendars.get_calendar(exchange))
        first, last = known.bound_min() or start, known.bound_max() or end
        if not first <= now <= last + timedelta(days=1):
            raise StopAndSayError(
                f"TICKCAST_SOURCE_EXCHANGE {exchange!r}: its holidays are known from {first:%Y-%m-%d} to "
                f"{last:%Y-%m-%d} only; a newer exchange_calendars may know more"
            ) from None
        calendar = _calendar(calendars, exchange, max(start, first), min(end, last))
    return Sessions(_stretches(calendar.opens, calendar.closes), _stretches(calendar.break_starts, calendar.break_ends))


def _calendar(calendars: Any, exchange: str, start: datetime, end: datetime) -> Any:
    return calendars.get_calendar(exchange, start=start.date().isoformat(), end=end.date().isoformat())


def _stretches(starts: Any, ends: Any) -> list[Session]:
    """Give those that there are: a day without a break has no times for it."""
    pairs = (times.dropna().astype("int64").tolist() for times in (starts, ends))
    return [Session(*pair) for pair in zip(*pairs, strict=True)]
