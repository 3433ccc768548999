"""What is asked of Alpha Vantage."""

from ingestor.sources.providers.alphavantage_answers import new_york
from schemas.times import Interval, interval_ns

INTERVALS: dict[Interval, str] = {"1m": "1min", "5m": "5min", "1h": "60min"}
#: A compact answer has so many bars, and one that names no month so many days.
_COMPACT_BARS, _LATEST_DAYS = 100, 29
_DAY_NS = interval_ns("1d")

Question = dict[str, str]


def _intraday(interval: Interval, **more: str) -> Question:
    fixed = {"function": "TIME_SERIES_INTRADAY", "adjusted": "true", "extended_hours": "false"}
    return fixed | {"interval": INTERVALS[interval]} | more


QUOTE: Question = {"function": "GLOBAL_QUOTE"}
LATEST_MINUTES: Question = _intraday("1m", outputsize="compact")


def daily_questions(start_ns: int, now_ns: int, *, adjusted: bool) -> list[Question]:
    """Give what to ask for bars of days since a time; those that are not adjusted are a free plan's, and few."""
    if not adjusted:
        return [{"function": "TIME_SERIES_DAILY", "outputsize": "compact"}]
    compact = now_ns - start_ns <= _COMPACT_BARS * _DAY_NS
    return [{"function": "TIME_SERIES_DAILY_ADJUSTED", "outputsize": "compact" if compact else "full"}]


def intraday_questions(start_ns: int, end_ns: int, now_ns: int, interval: Interval) -> list[Question]:
    """Give what to ask for bars that start in `[start, end)`: one question, or one for each month."""
    age_ns = now_ns - start_ns
    if age_ns <= _COMPACT_BARS * interval_ns(interval):
        return [_intraday(interval, outputsize="compact")]
    if age_ns <= _LATEST_DAYS * _DAY_NS:
        return [_intraday(interval, outputsize="full")]
    return [_intraday(interval, outputsize="full", month=month) for month in _months(start_ns, end_ns)]


def _months(start_ns: int, end_ns: int) -> list[str]:
    """Give the months of New York that hold the times in `[start, end)`, like 2026-11."""
    first, last = new_york(start_ns), new_york(end_ns - 1)
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in numbers]
