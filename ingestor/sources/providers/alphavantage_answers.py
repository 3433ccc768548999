"""What Alpha Vantage answers: data, or no, which it says with status 200 and in words that change.

So whether an answer has data is what counts, and only where it has none its words are read.
"""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from ingestor.sources.live.provider import ProviderAwayError
from schemas.errors import StopAndSayError
from schemas.times import NS_PER_SECOND, Interval, bar_start_ns, interval_ns

_NEW_YORK = ZoneInfo("America/New_York")
_WORDS = ("Error Message", "Information", "Note")
#: Parts of words, in the order in which they are looked for: what says no to a free key praises the plans for others.
_REFUSALS = {
    "apikey": "it refuses the key: see ALPHA_VANTAGE_API_KEY",
    "API key is for": "it refuses the key: see ALPHA_VANTAGE_API_KEY",
    "premium endpoint": "the plan does not include this: see TICKCAST_ALPHAVANTAGE_PLAN",
    "premium feature": "the plan does not include this: see TICKCAST_ALPHAVANTAGE_PLAN",
    "entitle": "the plan does not include this: see TICKCAST_ALPHAVANTAGE_PLAN",
    "Invalid API call": "it does not know this ticker, or has nothing of that time",
}
_SOON = ("sparingly", "per minute", "per second")
_SOON_SECONDS = 15.0


class DayLimitError(ProviderAwayError):
    """It says that the day's requests are spent."""


class Quote(Struct, frozen=True):
    """A quote: the day's prices and volume so far, without a time."""

    day: date
    open: float
    high: float
    low: float
    price: float
    volume: float


def require_data(body: bytes, now_ns: int) -> bytes:
    """Give an answer back that has data, or is of no form at all.

    Raises:
        ProviderAwayError: It says no for now.
        StopAndSayError: It refuses.
    """
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body
    if not isinstance(answer, dict) or _data(answer) is not None:
        return body
    said = next((str(answer[name]) for name in _WORDS if name in answer), "")
    raise _no(said[:300], now_ns)


def read_quote(body: bytes) -> Quote:
    """Read a quote.

    Raises:
        UNREADABLE: It is none.
        StopAndSayError: It is empty, as for tickers that it does not know.
    """
    row = _data(msgspec.json.decode(body, type=dict[str, Any]))
    if row == {}:
        raise StopAndSayError("alphavantage does not know this ticker: its quote is empty")
    if row is None:
        raise ValueError("no quote")
    prices = (float(row[name]) for name in ("02. open", "03. high", "04. low", "05. price", "06. volume"))
    return Quote(date.fromisoformat(row["07. latest trading day"]), *prices)


def read_bars(body: bytes, interval: Interval) -> list[tuple[float, ...]]:
    """Read a series: starts in whole seconds since 1970, open, high, low, close, volume.

    Where it has adjusted closes, all prices and volumes are adjusted like them. A bar of a day starts at 00:00 UTC.

    Raises:
        UNREADABLE: It is none.
    """
    series = _data(msgspec.json.decode(body, type=dict[str, Any]))
    if series is None:
        raise ValueError("no series")
    rows, splits = [], 1.0
    for text, row in sorted(series.items(), reverse=True):
        start_ns = bar_start_ns(_start_ns(text, interval), interval_ns(interval))
        close = float(row["4. close"])
        scale = float(row.get("5. adjusted close", close)) / close
        volume = float(row["6. volume"] if "6. volume" in row else row["5. volume"])
        prices = (float(row[name]) * scale for name in ("1. open", "2. high", "3. low", "4. close"))
        rows.append((start_ns // NS_PER_SECOND, *prices, volume * splits))
        splits *= float(row.get("8. split coefficient", 1.0))
    return rows


def new_york(time_ns: int) -> datetime:
    """Give a time as New York's clocks show it."""
    return datetime.fromtimestamp(time_ns / NS_PER_SECOND, _NEW_YORK)


def _data(answer: dict[str, Any]) -> Any:
    """Give what is under the name that its plan decorates, like `Global Quote - DATA DELAYED BY 15 MINUTES`."""
    return next((value for name, value in answer.items() if name.startswith(("Global Quote", "Time Series"))), None)


def _no(said: str, now_ns: int) -> Exception:
    if any(part in said for part in _SOON):
        return ProviderAwayError(f"alphavantage wants to be asked more slowly: {said}", _SOON_SECONDS)
    if "per day" in said:
        now = new_york(now_ns)
        wait = 86_400.0 - (now.hour * 3_600 + now.minute * 60 + now.second)
        return DayLimitError(f"alphavantage says that the requests of its day are spent: {said}", wait)
    for part, advice in _REFUSALS.items():
        if part in said:
            return StopAndSayError(f"alphavantage: {advice} ({said})")
    return ProviderAwayError(f"alphavantage answers without data: {said or 'and without a word'}")


def _start_ns(text: str, interval: Interval) -> int:
    """Read a start: a date, or what New York's clocks show."""
    zone = ZoneInfo("UTC") if interval == "1d" else _NEW_YORK
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * NS_PER_SECOND
