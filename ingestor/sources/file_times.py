"""Times as files write them."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from schemas.times import NS_PER_SECOND, bar_start_ns, from_rfc3339

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_BASIC_DATE = re.compile(r"\d{8}")
_NANOSECONDS = re.compile(r"(?P<before>.*:\d\d)[.,](?P<digits>\d{7,9})\d*(?P<zone>\D.*)?")
_END_OF_TIME_NS = 2**63
_DAY_NS = 86_400 * NS_PER_SECOND

_LARGEST_EXPONENT = 20

#: An epoch below this many is in seconds (until the year 5138), milliseconds, microseconds; else nanoseconds.
_EPOCH_UNITS: tuple[tuple[Decimal, int], ...] = (
    (Decimal(10**11), NS_PER_SECOND),
    (Decimal(10**14), 1_000_000),
    (Decimal(10**17), 1_000),
)


class _AmbiguousError(Exception):
    """A number that may be an epoch or a date without its separators."""


@lru_cache(maxsize=8_192)
def parse_time(value: str | float | Decimal) -> int:
    """Read a time as nanoseconds since 1970 in UTC.

    ISO 8601 text, in UTC where it states no zone, or an epoch whose size tells seconds, milliseconds,
    microseconds and nanoseconds apart. Eight digits are a date; whole numbers that may as well be a year, a month or
    a date with hours and minutes (up to 6 digits, and 12) are refused.

    Raises:
        ValueError: It is not a time, or not in the years 1970 to 2262, or it is ambiguous.
    """
    try:
        time_ns = _from_text(value.strip()) if isinstance(value, str) else _from_epoch(Decimal(str(value)))
    except _AmbiguousError as error:
        raise ValueError(
            f"{str(value)[:40]!r} is ambiguous (an epoch, or a year, month or minute?): use ISO 8601 like "
            "2024-01-31T14:30:00Z"
        ) from error
    except (ValueError, ArithmeticError) as error:
        raise ValueError(
            f"{str(value)[:40]!r} is not a time: use ISO 8601 like 2024-01-31T14:30:00Z, or an epoch in s, ms, us or ns"
        ) from error
    if not 0 <= time_ns < _END_OF_TIME_NS:
        raise ValueError(f"{str(value)[:40]!r} is not in the years 1970 to 2262")
    return time_ns


@lru_cache(maxsize=8_192)
def parse_date(value: str | float | Decimal) -> int:
    """Read the date that a time states, in the zone that it states, as nanoseconds of its 00:00 in UTC.

    Raises:
        ValueError: As of `parse_time`.
    """
    time_ns = parse_time(value)
    text = value.strip() if isinstance(value, str) else ""
    offset = None if _NUMBER.fullmatch(text) or not text else datetime.fromisoformat(text).utcoffset()
    return bar_start_ns(time_ns + offset_ns(offset), _DAY_NS)


def offset_ns(offset: timedelta | None) -> int:
    """Give how far a zone is east of UTC; 0 where none is stated."""
    return int(offset.total_seconds()) * NS_PER_SECOND if offset else 0


def _from_text(text: str) -> int:
    if _NUMBER.fullmatch(text) and not _BASIC_DATE.fullmatch(text):
        return _from_epoch(Decimal(text))
    fine = _NANOSECONDS.fullmatch(text)
    if fine:
        return from_rfc3339(fine["before"] + (fine["zone"] or "")) + int(fine["digits"].ljust(9, "0"))
    return from_rfc3339(text)


def _from_epoch(number: Decimal) -> int:
    if number.adjusted() > _LARGEST_EXPONENT:  # as an integer it could fill the memory
        raise ValueError("too large")
    if number == number.to_integral_value() and (0 <= number < 10**6 or 10**11 <= number < 10**12):
        raise _AmbiguousError
    for limit, unit_ns in _EPOCH_UNITS:
        if abs(number) < limit:
            return int(number * unit_ns)
    return int(number)
