"""Finnhub: trades of US stocks as they happen, and candles of the past where the plan has them.

The requests are its own client's, `finnhub-python`; for its stream there is none, so it is spoken here.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec
from pydantic import AliasChoices, Field, SecretStr

from ingestor.sources.bars import BarColumns
from ingestor.sources.live.answers import UNREADABLE, bar_columns, http_error
from ingestor.sources.live.calls import Calls
from ingestor.sources.live.messages import read_frame
from ingestor.sources.live.packages import live_package
from ingestor.sources.live.provider import (
    Limits,
    LiveTick,
    NoHistoryError,
    ProviderAwayError,
    ProviderSettings,
    Traits,
)
from ingestor.sources.live.threads import in_daemon_thread
from ingestor.sources.live.websocket import open_websocket
from ingestor.sources.moments import Rejected
from schemas.errors import StopAndSayError
from schemas.times import NS_PER_MILLISECOND, NS_PER_SECOND, Interval, bar_start_ns, interval_ns

_RESOLUTIONS: dict[Interval, str] = {"1m": "1", "5m": "5", "1h": "60", "1d": "D"}
#: Of bars below a day an answer holds a month at most.
_ANSWER_NS = 28 * interval_ns("1d")
_LONGEST_NS = 2**63
#: For every plan.
_REQUESTS_PER_SECOND = 30
#: What it says, with 403 and at times with 401, where the key is good and the plan is not.
_NOT_IN_PLAN = "access to this resource"


class FinnhubSettings(ProviderSettings):
    """Its key, and what the plan gives."""

    finnhub_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("TICKCAST_FINNHUB_API_KEY", "FINNHUB_API_KEY", "finnhub_api_key"),
        description="Finnhub's key, also without TICKCAST_",
    )
    finnhub_requests_per_minute: int = Field(60, ge=1, description="What the plan allows")
    finnhub_stream_url: str = "wss://ws.finnhub.io"
    finnhub_data_url: str = "https://api.finnhub.io/api/v1"

    @property
    def limits(self) -> Limits:
        """Give what its plan allows."""
        return Limits(per_second=_REQUESTS_PER_SECOND, per_minute=self.finnhub_requests_per_minute)


SETTINGS = FinnhubSettings


def open_provider(settings: FinnhubSettings, calls: Calls, answer_seconds: float) -> "Finnhub":
    """Open it; nothing is sent yet.

    Raises:
        StopAndSayError: The key is missing, or the package.
    """
    if not settings.finnhub_api_key.get_secret_value():
        raise StopAndSayError("finnhub needs a key: set FINNHUB_API_KEY (docs/sources.md)")
    return Finnhub(settings, calls, answer_seconds)


class Finnhub:
    """Its stream, and its candles."""

    traits = Traits(content={})

    def __init__(self, settings: FinnhubSettings, calls: Calls, answer_seconds: float) -> None:
        self._settings = settings
        self._calls = calls
        self._key = settings.finnhub_api_key.get_secret_value()
        self._without_candles: set[str] = set()
        self._client = live_package("finnhub").Client(None)
        self._client.API_URL = settings.finnhub_data_url
        self._client.DEFAULT_TIMEOUT = answer_seconds
        # Not in the address, where the client has it, for those are logged and stand in errors.
        self._client._session.headers["X-Finnhub-Token"] = self._key
        self._client._session.max_redirects = 0  # outside of the budget, and that header would go to any host
        exceptions = live_package("finnhub.exceptions")
        self._api_error: type[Exception] = exceptions.FinnhubAPIException
        self._form_error: type[Exception] = exceptions.FinnhubRequestException

    async def ticks(self, tickers: Sequence[str]) -> AsyncGenerator[list[LiveTick | Rejected], None]:
        """Give trades. Subscriptions are not acknowledged: a refusal comes among them."""
        address = f"{self._settings.finnhub_stream_url}?{urlencode({'token': self._key})}"
        async with open_websocket("finnhub", address) as websocket:
            for ticker in tickers:
                await websocket.send(msgspec.json.encode({"type": "subscribe", "symbol": ticker}).decode())
            yield []
            while True:
                heard = _read(await websocket.recv(decode=False))
                if heard:  # it pings
                    yield heard

    async def history(
        self, tickers: Sequence[str], start_ns: int, end_ns: int, interval: Interval
    ) -> dict[str, BarColumns]:
        """Give candles, ticker by ticker, month by month.

        Raises:
            NoHistoryError: There are none, and the plan has none of a ticker, which is not asked for again.
        """
        if interval not in _RESOLUTIONS:
            return {}
        bars = {}
        refusal: NoHistoryError | None = None
        for ticker in sorted(tickers):
            rows: list[tuple[float, ...]] = []
            try:
                for first_ns, last_ns in _answers(start_ns, end_ns, interval):
                    rows += await self._candles(ticker, first_ns, last_ns, interval)
            except NoHistoryError as error:
                refusal = refusal or error
            if rows:
                bars[ticker] = bar_columns(rows).between(start_ns, end_ns)
        if refusal is not None and not bars:
            raise refusal
        return bars

    async def _candles(self, ticker: str, first_ns: int, last_ns: int, interval: Interval) -> list[tuple[float, ...]]:
        if ticker not in self._without_candles:
            bounds = (first_ns // NS_PER_SECOND, last_ns // NS_PER_SECOND)
            answer = await self._calls.make(partial(self._ask, ticker, _RESOLUTIONS[interval], *bounds))
            if answer is not None:
                return _rows(answer, interval)
            self._without_candles.add(ticker)
        raise NoHistoryError(f"finnhub: the plan has no candles of {ticker} (docs/sources.md)")

    async def _ask(self, ticker: str, resolution: str, first: int, last: int) -> dict[str, Any] | None:
        """Give an answer; None: it is not in the plan."""
        try:
            answer: dict[str, Any] = await in_daemon_thread(
                partial(self._client.stock_candles, ticker, resolution, first, last)
            )
        except self._api_error as error:
            if _not_in_plan(error):
                return None
            raise _http_error(error) from None
        except (OSError, self._form_error) as error:
            raise ProviderAwayError(f"finnhub: {type(error).__name__}") from None
        return answer


def _answers(start_ns: int, end_ns: int, interval: Interval) -> Iterator[tuple[int, int]]:
    """Cut a time into what an answer can hold: first and last nanosecond each."""
    longest_ns = _LONGEST_NS if interval == "1d" else _ANSWER_NS
    for first_ns in range(start_ns, end_ns, longest_ns):
        yield first_ns, min(end_ns, first_ns + longest_ns) - 1


def _not_in_plan(error: Any) -> bool:
    return error.status_code == 403 or (error.status_code == 401 and _NOT_IN_PLAN in str(error.message))


def _http_error(error: Any) -> Exception:
    words, headers = str(error.message)[:200], error.response.headers
    return http_error("finnhub", error.status_code, words, headers.get("Retry-After"))


def _rows(answer: dict[str, Any], interval: Interval) -> list[tuple[float, ...]]:
    length_s = interval_ns(interval) // NS_PER_SECOND
    try:
        if answer.get("s") == "no_data":
            return []
        columns = zip(*(answer[name] for name in "tohlcv"), strict=True)
        return [
            (bar_start_ns(int(time_s), length_s), *(float(number) for number in numbers))
            for time_s, *numbers in columns
        ]
    except UNREADABLE as error:
        raise ProviderAwayError(f"finnhub: candles that cannot be read: {type(error).__name__}") from error


def _read(frame: bytes) -> list[LiveTick | Rejected]:
    """Read a frame.

    A trade has no number. One that is sent again has all else the same; two that are alike in one frame are two.
    """
    alike: Counter[LiveTick] = Counter()
    heard: list[LiveTick | Rejected] = []
    for item in read_frame("finnhub", frame, _messages, _understand):
        if isinstance(item, LiveTick):
            alike[item] += 1
            heard.append(item._replace(identity=f"{item.identity}#{alike[item]}"))
        else:
            heard.append(item)
    return heard


def _messages(frame: bytes) -> Any:
    """Give the trades of a frame; another message as it is."""
    message = msgspec.json.decode(frame)
    return message["data"] if isinstance(message, dict) and message.get("type") == "trade" else message


def _understand(message: dict[str, Any]) -> list[LiveTick]:
    """Give the tick of a trade; of another message, nothing.

    Raises:
        ProviderAwayError: It says that it goes away.
        StopAndSayError: It refuses.
    """
    kind = message.get("type")
    if kind == "error":
        raise _refusal(str(message.get("msg")))
    if kind is not None:
        return []
    time_ms, price, size = int(message["t"]), float(message["p"]), float(message["v"])
    identity = f"{time_ms}:{price}:{size}:{message.get('c')}"
    return [LiveTick(str(message["s"]), time_ms * NS_PER_MILLISECOND, price, size, identity)]


def _refusal(words: str) -> Exception:
    if "too many symbols" in words:
        return StopAndSayError(f"finnhub's stream: the plan allows fewer tickers: name fewer ({words})")
    return ProviderAwayError(f"finnhub's stream: {words}")
