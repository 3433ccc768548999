"""Polygon, which calls itself Massive now: trades or bars of US stocks as they happen, and bars of the past.

By its own client `massive`, of which the subscription and the pool of HTTP connections are used: its loop connects by
itself again and hides refusals and gaps, and its requests repeat themselves outside of any budget.
"""

import logging
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import AliasChoices, Field, SecretStr

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.bars import BarColumns
from ingestor.sources.live.answers import UNREADABLE, bar_columns, http_error
from ingestor.sources.live.calls import Calls
from ingestor.sources.live.messages import bar_ticks, read_frame
from ingestor.sources.live.packages import live_package
from ingestor.sources.live.provider import (
    MINUTE_BARS_SILENCE_SECONDS,
    Limits,
    LiveTick,
    ProviderAwayError,
    ProviderSettings,
    Traits,
)
from ingestor.sources.live.threads import in_daemon_thread
from ingestor.sources.live.websocket import open_websocket
from ingestor.sources.moments import Rejected
from schemas.errors import StopAndSayError
from schemas.times import NS_PER_MILLISECOND, NS_PER_SECOND, Interval, bar_start_ns, interval_ns, to_rfc3339

#: What bars are called in requests.
_TIMESPANS: dict[Interval, str] = {
    "1s": "1/second",
    "1m": "1/minute",
    "5m": "5/minute",
    "1h": "1/hour",
    "1d": "1/day",
}
_PAGE_BARS = 50_000
_DELAY_SECONDS = 900.0
_CHANNELS = {"trades": "T", "seconds": "A", "minutes": "AM"}
_BAR_LENGTHS_NS = {"A": interval_ns("1s"), "AM": interval_ns("1m")}
#: Statuses of the stream after which all goes on; the others are refusals, or its last word.
_GOOD = {"connected", "auth_success", "success"}
#: Words of a refusal for which trying again would not help, and what would.
_REFUSALS = {
    "websocket access": "the plan has no stream: docs/sources.md says which have",
    "real-time data": "the plan has delayed prices only: set TICKCAST_POLYGON_FEED=delayed",
    "not authorized": "the plan does not include this: set TICKCAST_POLYGON_STREAM=seconds or minutes",
    "authentication failed": "it refuses the key: see POLYGON_API_KEY",
}


class PolygonSettings(ProviderSettings):
    """Its key, and what the plan gives."""

    polygon_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices(
            "TICKCAST_POLYGON_API_KEY",
            "POLYGON_API_KEY",
            "TICKCAST_MASSIVE_API_KEY",
            "MASSIVE_API_KEY",
            "polygon_api_key",
        ),
        description="Polygon's key, also without TICKCAST_, and as MASSIVE_API_KEY",
    )
    polygon_feed: Literal["delayed", "realtime"] = Field("delayed", description="delayed: by 15 minutes")
    polygon_stream: Literal["seconds", "minutes", "trades"] = Field(
        "seconds", description="Bars of seconds or of minutes, or single trades"
    )
    polygon_requests_per_minute: int = Field(5, ge=0, description="What the plan allows; 0: any number")
    polygon_stream_url: str = Field("", description="Empty: the feed's, on massive.com")
    polygon_data_url: str = "https://api.massive.com"

    @property
    def limits(self) -> Limits:
        """Give what its plan allows."""
        return Limits(per_minute=self.polygon_requests_per_minute or None)

    @property
    def stream_url(self) -> str:
        """Give the address of the stream, without its market."""
        host = "delayed" if self.polygon_feed == "delayed" else "socket"
        return self.polygon_stream_url or f"wss://{host}.massive.com"


SETTINGS = PolygonSettings


def open_provider(settings: PolygonSettings, calls: Calls, answer_seconds: float) -> "Polygon":
    """Open it; nothing is sent yet.

    Raises:
        StopAndSayError: The key is missing, or the package.
    """
    if not settings.polygon_api_key.get_secret_value():
        raise StopAndSayError("polygon needs a key: set POLYGON_API_KEY (docs/sources.md)")
    return Polygon(settings, calls, answer_seconds)


class Polygon:
    """Its stream, and its bars."""

    def __init__(self, settings: PolygonSettings, calls: Calls, answer_seconds: float) -> None:
        self._settings = settings
        self._calls = calls
        self._key = settings.polygon_api_key.get_secret_value()
        feed, stream = settings.polygon_feed, settings.polygon_stream
        self.traits = Traits(
            content={},
            delay_seconds=_DELAY_SECONDS if feed == "delayed" else 0.0,
            longest_silence_seconds=MINUTE_BARS_SILENCE_SECONDS if stream == "minutes" else 0.0,
        )
        self._stream_type = live_package("massive.websocket").WebSocketClient
        self._client = live_package("massive.rest").RESTClient(
            api_key=self._key,
            base=settings.polygon_data_url,
            connect_timeout=answer_seconds,
            read_timeout=answer_seconds,
            connection_pool_kw={"retries": False},  # its own attempts would be outside of the budget
        )
        for name in ("WebSocketClient", "RESTClient"):  # else it prints what our log has
            logging.getLogger(name).handlers.clear()
        self._http_error: type[Exception] = live_package("urllib3.exceptions").HTTPError

    async def ticks(self, tickers: Sequence[str]) -> AsyncGenerator[list[LiveTick | Rejected], None]:
        """Give trades, or bars as four ticks each."""
        scheme, _, host = self._settings.stream_url.partition("://")
        client = self._stream_type(api_key=self._key, feed=host, secure=scheme == "wss")
        async with open_websocket("polygon", client.url, ssl=client._ssl_context()) as client.websocket:
            await self._log_in(client.websocket)
            await client._subscribe([f"{_CHANNELS[self._settings.polygon_stream]}.{ticker}" for ticker in tickers])
            yield _read(await client.websocket.recv(decode=False))
            while True:
                heard = _read(await client.websocket.recv(decode=False))
                if heard:  # each ticker's subscription is acknowledged by itself
                    yield heard

    async def _log_in(self, websocket: Any) -> None:
        await _expect(websocket, "connected")
        await websocket.send(msgspec.json.encode({"action": "auth", "params": self._key}).decode())
        await _expect(websocket, "auth_success")

    async def history(
        self, tickers: Sequence[str], start_ns: int, end_ns: int, interval: Interval
    ) -> dict[str, BarColumns]:
        """Give bars, ticker by ticker, page after page."""
        bars = {}
        for ticker in sorted(tickers):
            rows = await self._rows(ticker, start_ns, end_ns, interval)
            if rows:
                bars[ticker] = bar_columns(rows).between(start_ns, end_ns)
        return bars

    async def _rows(self, ticker: str, start_ns: int, end_ns: int, interval: Interval) -> list[tuple[float, ...]]:
        first, last = (_bound(time_ns, interval) for time_ns in (start_ns, end_ns - 1))
        path = f"/v2/aggs/ticker/{ticker}/range/{_TIMESPANS[interval]}/{first}/{last}"
        question: dict[str, Any] | None = {"adjusted": "true", "sort": "asc", "limit": _PAGE_BARS}
        rows: list[tuple[float, ...]] = []
        while True:
            page = await self._calls.make(partial(self._page, path, question))
            try:
                rows += [_row(bar, interval) for bar in page.get("results") or ()]
                if not page.get("next_url"):
                    return rows
                following = urlsplit(page["next_url"])
            except UNREADABLE as error:
                raise ProviderAwayError(f"polygon: bars that cannot be read: {type(error).__name__}") from error
            # Of its host nothing is believed: the key goes with the request.
            path, question = f"{following.path}?{following.query}", None

    async def _page(self, path: str, question: dict[str, Any] | None) -> dict[str, Any]:
        address, headers = self._client.BASE + path, self._client.headers
        try:
            answer = await in_daemon_thread(
                partial(self._client.client.request, "GET", address, fields=question, headers=headers)
            )
            if answer.status != 200:
                words = answer.data[:200].decode(errors="replace")
                raise http_error("polygon", answer.status, words, answer.headers.get("Retry-After"))
            page: dict[str, Any] = msgspec.json.decode(answer.data, type=dict[str, Any])
        except (OSError, ValueError, self._http_error) as error:
            raise ProviderAwayError(f"polygon: {type(error).__name__}") from error
        return page


def _read(frame: bytes) -> list[LiveTick | Rejected]:
    return read_frame("polygon", frame, msgspec.json.decode, _understand)


async def _expect(websocket: Any, status: str) -> None:
    """Wait for a status before anything else may come.

    Raises:
        ProviderAwayError: Something else came.
        StopAndSayError: It refuses.
    """
    frame = await websocket.recv(decode=False)
    try:
        first = msgspec.json.decode(frame, type=list[dict[str, Any]])[0]
        came = first["status"]
        _understand(first)
    except UNREADABLE as error:
        raise ProviderAwayError(f"polygon's stream: no {status}: {type(error).__name__}") from error
    if came != status:
        raise ProviderAwayError(f"polygon's stream: {came} instead of {status}")


def _understand(message: dict[str, Any]) -> list[LiveTick]:
    """Give the ticks of one message.

    Raises:
        ProviderAwayError: It says that it goes away.
        StopAndSayError: It refuses.
    """
    kind = message["ev"]
    if kind == "T":  # a trade's number is its exchange's, or its reporting facility's
        identity = f"{message.get('x')}:{message.get('trfi')}:{message['i']}" if "i" in message else None
        time_ns = int(message["t"]) * NS_PER_MILLISECOND
        return [LiveTick(str(message["sym"]), time_ns, float(message["p"]), float(message["s"]), identity)]
    if kind in _BAR_LENGTHS_NS:
        bar = PlayedBar(str(message["sym"]), *(float(message[name]) for name in "ohlcv"))
        return bar_ticks(bar, int(message["s"]) * NS_PER_MILLISECOND, _BAR_LENGTHS_NS[kind])
    if kind == "status" and message["status"] not in _GOOD:
        raise _refusal(message["status"], str(message.get("message")))
    return []


def _refusal(status: str, words: str) -> Exception:
    for part, advice in _REFUSALS.items():
        if part in words:
            return StopAndSayError(f"polygon's stream: {advice} ({status}: {words})")
    if status == "auth_failed":
        return StopAndSayError(f"polygon's stream: it refuses the key, or the plan ({status}: {words})")
    return ProviderAwayError(f"polygon's stream: {status}: {words}")


def _bound(time_ns: int, interval: Interval) -> str:
    """Write a time for a request; a bar of a day is asked for by its date, for it begins at midnight in New York."""
    return to_rfc3339(time_ns)[:10] if interval == "1d" else str(time_ns // NS_PER_MILLISECOND)


def _row(bar: dict[str, Any], interval: Interval) -> tuple[float, ...]:
    start_ns = bar_start_ns(int(bar["t"]) * NS_PER_MILLISECOND, interval_ns(interval))
    return (start_ns // NS_PER_SECOND, *(float(bar[name]) for name in "ohlcv"))
