"""Event time: nanoseconds since 1970 in UTC, bar boundaries, and RFC 3339 text."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, get_args

Interval = Literal["1s", "1m", "5m", "1h", "1d"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)

NS_PER_MILLISECOND = 1_000_000
NS_PER_SECOND = 1_000_000_000
_INTERVAL_SECONDS: dict[str, int] = {"1s": 1, "1m": 60, "5m": 300, "1h": 3_600, "1d": 86_400}


def interval_ns(interval: Interval) -> int:
    """Give the length of a bar in nanoseconds."""
    return _INTERVAL_SECONDS[interval] * NS_PER_SECOND


def bar_start_ns(time_ns: int, length_ns: int) -> int:
    """Give the start of the bar (UTC boundaries, start inclusive) that holds an event time."""
    return time_ns - time_ns % length_ns


def to_rfc3339(time_ns: int) -> str:
    """Write a time as RFC 3339 in UTC, with as many decimals (0, 3, 6 or 9) as it needs."""
    seconds, fraction_ns = divmod(time_ns, NS_PER_SECOND)
    text = _whole_seconds(seconds)
    if fraction_ns:
        decimals = f"{fraction_ns:09d}"
        while decimals.endswith("000"):
            decimals = decimals[:-3]
        text = f"{text}.{decimals}"
    return text + "Z"


@lru_cache(maxsize=1_024)
def _whole_seconds(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def from_rfc3339(text: str) -> int:
    """Read an RFC 3339 or ISO 8601 time (UTC where none is stated) as nanoseconds, exact to the microsecond.

    Raises:
        ValueError: The text is no time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since_epoch = moment - datetime(1970, 1, 1, tzinfo=UTC)
    seconds = since_epoch.days * 86_400 + since_epoch.seconds
    return seconds * NS_PER_SECOND + since_epoch.microseconds * 1_000
