"""When an exchange is open."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from ingestor.sources.live.packages import live_package
from schemas.errors import StopAndSayError
from schemas.times import NS_PER_SECOND

#: Sessions are known so far around the start of the process; after that, nothing is taken for mute.
_PAST_DAYS, _COMING_DAYS = 800, 370


class Session(NamedTuple):
    """One stretch of trading, `[open, close)`."""

    open_ns: int
    close_ns: int


class Sessions:
    """Sessions of an exchange, in order of time."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._sessions = sessions
        self._opens = [session.open_ns for session in sessions]
        self._days = [(before.close_ns + after.open_ns) // 2 for before, after in pairwise(sessions)]

    def open_ns_between(self, start_ns: int, end_ns: int) -> int:
        """Give how long the exchange was open within `[start, end)`, in nanoseconds."""
        first = max(0, bisect_right(self._opens, start_ns) - 1)
        total_ns = 0
        for session in self._sessions[first:]:
            if session.open_ns >= end_ns:
                break
            total_ns += max(0, min(end_ns, session.close_ns) - max(start_ns, session.open_ns))
        return total_ns

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


def load_sessions(exchange: str, now_ns: int, past_days: int = _PAST_DAYS) -> Sessions:
    """Load the sessions of an exchange around now.

    Args:
        exchange: As `exchange_calendars` calls it: `XNYS`, `XETR`, `24/7`.
        past_days: So far back.

    Raises:
        StopAndSayError: There is no such exchange, or the package is missing.
    """
    calendars = live_package("exchange_calendars")
    now = datetime.fromtimestamp(now_ns / NS_PER_SECOND, UTC).replace(tzinfo=None)
    start, end = now - timedelta(days=past_days), now + timedelta(days=_COMING_DAYS)
    try:
        calendar = calendars.get_calendar(exchange, start=start.date().isoformat(), end=end.date().isoformat())
    except calendars.errors.InvalidCalendarName as error:
        raise StopAndSayError(f"TICKCAST_SOURCE_EXCHANGE {exchange!r}: give an exchange like XNYS, or 24/7") from error
    opens, closes = (times.astype("int64").tolist() for times in (calendar.opens, calendar.closes))
    return Sessions([Session(*pair) for pair in zip(opens, closes, strict=True)])
