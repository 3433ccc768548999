"""When a horizon ends, as far as one can tell beforehand."""

from functools import lru_cache

from schemas.events import Features
from schemas.times import interval_ns

_DAY_NS = interval_ns("1d")
_FIRST_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0
_TRADING_DAYS = 5


def target_time_ns(features: Features, horizon: int) -> int:
    """Estimate the end of the horizon's last bar, counted from the last closed bar.

    Daily bars are counted on Mondays to Fridays (holidays are not known, and a ticker that also trades at
    weekends gets a target that is late by them); shorter bars follow each other without a pause, so that
    a night or a weekend between them makes the estimate early. For a provisional event the open bar is the first.
    """
    bars = horizon if features.final else horizon - 1
    if features.interval == "1d":
        return _daily_target_ns(features.bar.start_ns, bars)
    return features.bar.end_ns + bars * interval_ns(features.interval)


@lru_cache(maxsize=4_096)
def _daily_target_ns(start_ns: int, bars: int) -> int:
    return (trading_day_after(start_ns // _DAY_NS, bars) + 1) * _DAY_NS


def trading_day_after(day: int, count: int) -> int:
    """Give the day (counted from 1970-01-01) that is `count` trading days after another; itself for 0."""
    if count == 0:
        return day
    weekday = (day + _FIRST_WEEKDAY) % 7
    if weekday >= _TRADING_DAYS:
        day, weekday = day - (weekday - _TRADING_DAYS + 1), _TRADING_DAYS - 1
    weeks, rest = divmod(weekday + count, _TRADING_DAYS)
    return day - weekday + 7 * weeks + rest


def trading_days_before(day: int) -> int:
    """Count the trading days before a day (counted from 1970-01-01), from the Monday of that week on; below 0 earlier.

    Only differences have a meaning: of two days, the trading days from the one up to the other.
    """
    weeks, weekday = divmod(day + _FIRST_WEEKDAY, 7)
    return _TRADING_DAYS * weeks + min(weekday, _TRADING_DAYS)
