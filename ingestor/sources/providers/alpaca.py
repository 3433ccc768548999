"""Alpaca: trades or minute bars of US stocks as they happen, and bars of the past, by its own client `alpaca-py`."""

from collections.abc import AsyncGenerator, Sequence
from functools import partial
from typing import Any, Literal

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
from ingestor.sources.live.websocket import WEBSOCKET_OPTIONS
from ingestor.sources.moments import Rejected
from schemas.errors import StopAndSayError
from schemas.times import NS_PER_SECOND, Interval, bar_start_ns, from_rfc3339, interval_ns, to_rfc3339

_TIMEFRAMES: dict[Interval, str] = {"1m": "1Min", "5m": "5Min", "1h": "1Hour", "1d": "1Day"}
_PAGE_BARS = 10_000
_MINUTE_NS = interval_ns("1m")
#: What the stream says where trying again would not help: https://docs.alpaca.markets/docs/streaming-market-data.
_REFUSALS = {
    401: "it was not given a key",
    402: "it refuses the key: see APCA_API_KEY_ID and APCA_API_SECRET_KEY",
    405: "the plan allows fewer tickers: name fewer, or set TICKCAST_ALPACA_STREAM=bars, which has no such limit",
    409: "the plan does not include this feed: set TICKCAST_ALPACA_FEED=iex",
    410: "this feed does not have what TICKCAST_ALPACA_STREAM names",
}
#: The same as the client raises them while it logs in, without their codes.
_REFUSALS_BY_WORDS = {"not authenticated": 401, "auth failed": 402, "insufficient subscription": 409}


class AlpacaSettings(ProviderSettings):
    """Its keys, and what the plan gives."""

    apca_api_key_id: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("TICKCAST_APCA_API_KEY_ID", "APCA_API_KEY_ID", "apca_api_key_id"),
        description="Alpaca's key, also without TICKCAST_",
    )
    apca_api_secret_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("TICKCAST_APCA_API_SECRET_KEY", "APCA_API_SECRET_KEY", "apca_api_secret_key"),
        description="Its secret, also without TICKCAST_",
    )
    alpaca_feed: Literal["iex", "sip", "test"] = Field(
        "iex", description="sip needs a paid plan; test has FAKEPACA only"
    )
    alpaca_stream: Literal["trades", "bars"] = Field(
        "trades", description="bars: of minutes, for any number of tickers"
    )
    alpaca_adjustment: Literal["all", "split", "dividend", "raw"] = Field(
        "all", description="For what bars of the past are adjusted, so that they are on the scale of today's prices"
    )
    alpaca_requests_per_minute: int = Field(200, ge=1, description="What the plan allows")
    alpaca_stream_url: str = "wss://stream.data.alpaca.markets"
    alpaca_data_url: str = "https://data.alpaca.markets"

    @property
    def limits(self) -> Limits:
        """Give what its plan allows."""
        return Limits(per_minute=self.alpaca_requests_per_minute)


SETTINGS = AlpacaSettings


def open_provider(settings: AlpacaSettings, calls: Calls, answer_seconds: float) -> "Alpaca":
    """Open it; nothing is sent yet.

    Raises:
        StopAndSayError: The key is missing, or the package.
    """
    if not settings.apca_api_key_id.get_secret_value() or not settings.apca_api_secret_key.get_secret_value():
        raise StopAndSayError("alpaca needs a key: set APCA_API_KEY_ID and APCA_API_SECRET_KEY (docs/sources.md)")
    return Alpaca(settings, calls, answer_seconds)


class Alpaca:
    """Its stream, and its bars."""

    def __init__(self, settings: AlpacaSettings, calls: Calls, answer_seconds: float) -> None:
        self._settings = settings
        self._calls = calls
        self._keys = {
            "api_key": settings.apca_api_key_id.get_secret_value(),
            "secret_key": settings.apca_api_secret_key.get_secret_value(),
        }
        feed, stream = settings.alpaca_feed, settings.alpaca_stream
        self.traits = Traits(
            content={"feed": feed, "adjustment": settings.alpaca_adjustment},
            exchange="24/7" if feed == "test" else "XNYS",
            adjusted=settings.alpaca_adjustment in ("all", "split"),
            longest_silence_seconds=MINUTE_BARS_SILENCE_SECONDS if stream == "bars" else 0.0,
        )
        self._stream_type = live_package("alpaca.data.live.stock").StockDataStream
        self._client = live_package("alpaca.data.historical.stock").StockHistoricalDataClient(
            **self._keys, raw_data=True, url_override=settings.alpaca_data_url
        )
        self._client._retry = 0  # its own attempts would be outside of the budget
        self._client._session.request = partial(self._client._session.request, timeout=answer_seconds)
        self._api_error: type[Exception] = live_package("alpaca.common.exceptions").APIError

    async def ticks(self, tickers: Sequence[str]) -> AsyncGenerator[list[LiveTick | Rejected], None]:
        """Give trades, or minute bars as four ticks each."""
        stream = self._stream_type(
            **self._keys,
            raw_data=True,
            url_override=f"{self._settings.alpaca_stream_url}/v2/{self._settings.alpaca_feed}",
            websocket_params=WEBSOCKET_OPTIONS,
        )
        subscribe = stream.subscribe_trades if self._settings.alpaca_stream == "trades" else stream.subscribe_bars
        subscribe(_never_called, *tickers)
        unpack = live_package("msgpack").unpackb
        failures = (OSError, TimeoutError, live_package("websockets.exceptions").WebSocketException)
        try:
            await stream._start_ws()
            await stream._send_subscribe_msg()
            while True:
                yield read_frame("alpaca", await stream._ws.recv(), unpack, _understand)
        except failures as error:
            raise ProviderAwayError(f"alpaca's stream: {type(error).__name__}: {error}") from error
        except ValueError as error:  # what the client makes of a refusal to log in
            raise _refusal(_REFUSALS_BY_WORDS.get(str(error)), str(error)) from error
        except UNREADABLE as error:  # what the client makes of another greeting
            raise ProviderAwayError(f"alpaca's stream: no greeting: {type(error).__name__}") from error
        finally:
            await stream.close()

    async def history(
        self, tickers: Sequence[str], start_ns: int, end_ns: int, interval: Interval
    ) -> dict[str, BarColumns]:
        """Give bars, page after page."""
        if interval not in _TIMEFRAMES or self._settings.alpaca_feed == "test":
            return {}
        question = {
            "symbols": ",".join(tickers),
            "timeframe": _TIMEFRAMES[interval],
            "start": to_rfc3339(start_ns),
            "end": to_rfc3339(end_ns - 1),
            "adjustment": self._settings.alpaca_adjustment,
            "feed": self._settings.alpaca_feed,
            "limit": _PAGE_BARS,
        }
        rows: dict[str, list[tuple[float, ...]]] = {}
        token: str | None = None
        while True:
            page = await self._calls.make(partial(self._page, question | ({"page_token": token} if token else {})))
            try:
                for ticker, bars in (page["bars"] or {}).items():
                    rows.setdefault(ticker, []).extend(_row(bar, interval) for bar in bars)
                token = page.get("next_page_token")
            except UNREADABLE as error:
                raise ProviderAwayError(f"alpaca: bars that cannot be read: {type(error).__name__}") from error
            if not token:
                return {ticker: bar_columns(own).between(start_ns, end_ns) for ticker, own in sorted(rows.items())}

    async def _page(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            page: dict[str, Any] = await in_daemon_thread(partial(self._client.get, "/stocks/bars", question))
        except self._api_error as error:
            raise _http_error(error) from None
        except (OSError, ValueError) as error:
            raise ProviderAwayError(f"alpaca: {type(error).__name__}") from error
        if not isinstance(page, dict) or "bars" not in page:  # to its client a redirect is an answer, too
            raise ProviderAwayError("alpaca: an answer without bars")
        return page


async def _never_called(_message: object) -> None:
    """Stand where the client wants a handler: what comes is read here."""


def _understand(message: dict[str, Any]) -> list[LiveTick]:
    """Give the ticks of one message.

    Raises:
        ProviderAwayError: It says that it goes away.
        StopAndSayError: It refuses.
    """
    kind = message["T"]
    if kind == "t":
        identity = f"{message.get('x')}:{message['i']}" if "i" in message else None  # exchanges number by themselves
        return [
            LiveTick(
                str(message["S"]),
                message["t"].to_unix_nano(),
                float(message["p"]),
                float(message["s"]),
                identity,
            )
        ]
    if kind == "b":
        bar = PlayedBar(str(message["S"]), *(float(message[name]) for name in "ohlcv"))
        return bar_ticks(bar, message["t"].to_unix_nano(), _MINUTE_NS)
    if kind == "error":
        raise _refusal(message.get("code"), str(message.get("msg")))
    return []


def _refusal(code: int | None, words: str) -> Exception:
    if code in _REFUSALS:
        return StopAndSayError(f"alpaca's stream: {_REFUSALS[code]} ({code}: {words})")
    return ProviderAwayError(f"alpaca's stream: {code or 'error'}: {words}")


def _http_error(error: Any) -> Exception:
    headers = {} if error.response is None else error.response.headers
    return http_error("alpaca", error.status_code, str(error), headers.get("Retry-After"))


def _row(bar: dict[str, Any], interval: Interval) -> tuple[float, ...]:
    start_ns = bar_start_ns(from_rfc3339(bar["t"]), interval_ns(interval))  # a day begins in New York
    return (start_ns // NS_PER_SECOND, *(float(bar[name]) for name in "ohlcv"))
