"""Yahoo Finance: prices as they are told, and bars of the past; without a key, and without a promise.

Of `yfinance` the subscription, the messages and the HTTP session are used: its loop swallows errors and connects by
itself again, and its requests fetch cookies, repeat themselves and cache answers outside of any budget; bars need none
of it.
"""

from base64 import b64decode
from collections.abc import AsyncGenerator, Iterator, Sequence
from functools import partial
from typing import Any, Literal

import msgspec
from pydantic import Field

from ingestor.sources.bars import BarColumns
from ingestor.sources.live.answers import UNREADABLE, bar_columns, http_error
from ingestor.sources.live.calls import Calls
from ingestor.sources.live.day_volumes import DayVolumes
from ingestor.sources.live.messages import read_frame
from ingestor.sources.live.packages import live_binary, live_package
from ingestor.sources.live.provider import Limits, LiveTick, ProviderAwayError, ProviderSettings, Traits
from ingestor.sources.live.threads import in_daemon_thread
from ingestor.sources.live.websocket import open_websocket
from ingestor.sources.moments import Rejected
from schemas.times import NS_PER_MILLISECOND, NS_PER_SECOND, Interval, interval_ns

#: What is asked for; its own bars of an hour begin at half past, so they are made of shorter ones.
_ASKED: dict[Interval, Interval] = {"1m": "1m", "5m": "5m", "1h": "5m", "1d": "1d"}
#: Of so many days one answer may hold bars. Of minutes it has 30 days at all, of five minutes 60.
_ANSWER_DAYS: dict[Interval, int] = {"1m": 7, "5m": 20, "1d": 36_500}
_DAY_NS = interval_ns("1d")
#: Its server lets nobody know what it allows.
_REQUESTS_PER_SECOND = 2
#: What a message says of its market's hours (0 before the open, 2 after the close), and of its kind.
_REGULAR, _HEARTBEAT = 1, 7
#: How it says that it has no bars: of a symbol, of a time, or so far back.
_NOTHING = ("No data found", "Data doesn't exist", "must be within the last")


class YahooSettings(ProviderSettings):
    """What is wanted of it; it has no key."""

    yahoo_hours: Literal["regular", "all"] = Field(
        "regular", description="all: prices and bars before the open and after the close as well"
    )
    yahoo_requests_per_minute: int = Field(60, ge=1, description="What we allow ourselves: it names no limit")
    yahoo_stream_url: str = "wss://streamer.finance.yahoo.com/?version=2"
    yahoo_data_url: str = "https://query2.finance.yahoo.com"

    @property
    def limits(self) -> Limits:
        """Give what is polite."""
        return Limits(per_second=_REQUESTS_PER_SECOND, per_minute=self.yahoo_requests_per_minute)


SETTINGS = YahooSettings


def open_provider(settings: YahooSettings, calls: Calls, answer_seconds: float) -> "Yahoo":
    """Open it; nothing is sent yet.

    Raises:
        StopAndSayError: The package is missing.
    """
    return Yahoo(settings, calls, answer_seconds)


class Yahoo:
    """Its stream, and its bars."""

    def __init__(self, settings: YahooSettings, calls: Calls, answer_seconds: float) -> None:
        self._settings = settings
        self._calls = calls
        self._answer_seconds = answer_seconds
        self.traits = Traits(content={"hours": settings.yahoo_hours})
        live_binary("curl_cffi")  # which yfinance imports
        self._stream_type = live_package("yfinance.live").AsyncWebSocket
        self._reader = _Reader(all_hours=settings.yahoo_hours == "all")
        self._session = live_package("yfinance._http").new_session()

    async def ticks(self, tickers: Sequence[str]) -> AsyncGenerator[list[LiveTick | Rejected], None]:
        """Give prices. Subscriptions are not acknowledged."""
        address, volumes = self._settings.yahoo_stream_url, DayVolumes()
        stream = self._stream_type(address, verbose=False)
        async with open_websocket("yahoo", address, keyless=True) as stream._ws:
            try:
                await stream.subscribe(list(tickers))  # and again every 15 s, or it forgets
                yield []
                while True:
                    heard = self._reader.read(await stream._ws.recv(decode=False), volumes)
                    if heard:
                        yield heard
            finally:
                if stream._heartbeat_task is not None:
                    stream._heartbeat_task.cancel()

    async def history(
        self, tickers: Sequence[str], start_ns: int, end_ns: int, interval: Interval
    ) -> dict[str, BarColumns]:
        """Give bars, ticker by ticker, as far back as it has them."""
        if interval not in _ASKED:
            return {}
        bars = {}
        since_ns = start_ns - _DAY_NS if interval == "1d" else start_ns  # in the east a day begins on the date before
        for ticker in sorted(tickers):
            rows: list[tuple[float, ...]] = []
            for first_ns, until_ns in _answers(since_ns, end_ns, _ASKED[interval]):
                answer = await self._calls.make(partial(self._ask, ticker, first_ns, until_ns, _ASKED[interval]))
                if answer is None:
                    break
                rows += _rows(answer, _ASKED[interval])
            if rows:
                bars[ticker] = bar_columns(_folded(rows, interval)).between(start_ns, end_ns)
        return bars

    async def _ask(self, ticker: str, first_ns: int, end_ns: int, interval: Interval) -> dict[str, Any] | None:
        """Give an answer; None: it has nothing there, nor before."""
        question = {
            "period1": first_ns // NS_PER_SECOND,
            "period2": end_ns // NS_PER_SECOND,
            "interval": interval,
            "includePrePost": str(self._settings.yahoo_hours == "all").lower(),
        }
        address = f"{self._settings.yahoo_data_url}/v8/finance/chart/{ticker}"
        get = partial(self._session.get, address, params=question, timeout=self._answer_seconds, allow_redirects=False)
        try:
            answer = await in_daemon_thread(get)
            content = msgspec.json.decode(answer.content) if answer.status_code in (200, 400, 404, 422) else None
            chart = content["chart"] if content else {}
            result: dict[str, Any] | None = chart["result"][0] if chart.get("result") else None
            words = str((chart.get("error") or {}).get("description", ""))
        except (OSError, *UNREADABLE) as error:
            raise ProviderAwayError(f"yahoo: {type(error).__name__}") from error
        if answer.status_code == 200 and result:
            return result
        if answer.status_code == 200 or any(part in words for part in _NOTHING):
            return None
        if answer.status_code in (401, 403):  # there is no key to refuse: it takes us for a robot, for a while
            raise ProviderAwayError(f"yahoo answers {answer.status_code}")
        raise http_error("yahoo", answer.status_code, words[:200], answer.headers.get("Retry-After"))


def _answers(start_ns: int, end_ns: int, interval: Interval) -> Iterator[tuple[int, int]]:
    """Cut a time into what an answer can hold, the latest first: it has nothing before some time."""
    longest_ns = _ANSWER_DAYS[interval] * _DAY_NS
    while start_ns < end_ns:
        first_ns = max(start_ns, end_ns - longest_ns)
        yield first_ns, end_ns
        end_ns = first_ns


def _rows(result: dict[str, Any], interval: Interval) -> list[tuple[float, ...]]:
    """Give the bars of an answer, adjusted for splits (by Yahoo) and, days, for dividends (by its adjusted close).

    A day's bar has the time of its first trade; among shorter ones stands the last price, at no whole minute.
    """
    length_s = interval_ns(interval) // NS_PER_SECOND
    try:
        shift_s = int(result["meta"].get("gmtoffset", 0)) if interval == "1d" else 0
        quote = result["indicators"]["quote"][0]
        adjusted = result["indicators"].get("adjclose", [{}])[0].get("adjclose") or quote.get("close")
        columns = [quote[name] for name in ("open", "high", "low", "close", "volume")] if quote else [[]] * 5
        rows = []
        for time_s, adjusted_close, *numbers in zip(result.get("timestamp", []), adjusted or [], *columns, strict=True):
            if None in (adjusted_close, *numbers) or (interval != "1d" and time_s % length_s):
                continue
            start_s = (time_s + shift_s) // length_s * length_s
            *prices, volume = (float(number) for number in numbers)
            ratio = float(adjusted_close) / prices[-1]
            rows.append((start_s, *(price * ratio for price in prices[:-1]), float(adjusted_close), volume))
    except UNREADABLE as error:
        raise ProviderAwayError(f"yahoo: bars that cannot be read: {type(error).__name__}") from error
    return rows


def _folded(rows: list[tuple[float, ...]], interval: Interval) -> list[tuple[float, ...]]:
    """Give bars of a length that are made of shorter ones, of which the same may have come twice."""
    length_s = interval_ns(interval) // NS_PER_SECOND
    bars: dict[float, tuple[float, ...]] = {}
    for time_s, *prices, volume in [row for _, row in sorted({row[0]: row for row in rows}.items())]:
        start_s = time_s // length_s * length_s
        begun = bars.get(start_s)
        if begun is None:
            bars[start_s] = (start_s, *prices, volume)
        else:
            high, low = max(begun[2], prices[1]), min(begun[3], prices[2])
            bars[start_s] = (start_s, begun[1], high, low, prices[3], begun[5] + volume)
    return list(bars.values())


class _Reader:
    """Reads frames: JSON around base64 around a message of protocol buffers."""

    def __init__(self, *, all_hours: bool) -> None:
        self._all_hours = all_hours
        self._pricing_type = live_package("yfinance.pricing_pb2").PricingData
        self._as_dict = live_package("google.protobuf.json_format").MessageToDict

    def read(self, frame: bytes, volumes: DayVolumes) -> list[LiveTick | Rejected]:
        """Read what a frame says."""
        return read_frame("yahoo", frame, self._pricing, partial(self._understand, volumes))

    def _pricing(self, frame: bytes) -> dict[str, Any]:
        message = msgspec.json.decode(frame)
        if message["type"] != "pricing":
            return {}
        pricing = self._pricing_type()
        pricing.ParseFromString(b64decode(message["message"], validate=True))
        content: dict[str, Any] = self._as_dict(pricing, preserving_proto_field_name=True)
        return content

    def _understand(self, volumes: DayVolumes, pricing: dict[str, Any]) -> list[LiveTick]:
        """Give the tick of a message; none outside of the hours that are wanted."""
        if not pricing or pricing.get("quote_type") == _HEARTBEAT:
            return []
        ticker, time_ms, price = str(pricing["id"]), int(pricing["time"]), float(pricing["price"])
        day_volume = int(pricing.get("day_volume", 0))
        size = volumes.grown(ticker, time_ms, day_volume)
        if not self._all_hours and pricing.get("market_hours", 0) != _REGULAR:
            return []
        return [LiveTick(ticker, time_ms * NS_PER_MILLISECOND, price, size, f"{time_ms}:{price}:{day_volume}")]
