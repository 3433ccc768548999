"""A local Alpha Vantage: quotes, series, and its manner to say no: https://www.alphavantage.co/documentation."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.bars import BarColumns
from ingestor.sources.live.calls import Calls
from ingestor.sources.live.provider import LiveTick, Provider
from ingestor.sources.live.sessions import Session, Sessions
from ingestor.sources.moments import Rejected
from ingestor.sources.providers.alphavantage import AlphaVantage, AlphaVantageSettings
from ingestor.sources.providers.alphavantage_answers import new_york
from schemas.times import Interval, from_rfc3339
from tests.ingestor.providers.fake import KEY, SECRET, until
from tests.ingestor.providers.local_server import LocalServer, json_answer

ALWAYS_OPEN = Sessions([Session(0, 2**62)])
BAD_KEY = {"Error Message": "the parameter apikey is invalid or missing. Please claim your free API key on (…)."}
_ATTEMPTS = 4
#: The time of tests, or a little before.
_BEGIN_NS = from_rfc3339("2026-11-25T15:00:10Z")
_BEFORE = ("2026-11-20", 50.0, 1_000.0)


class FakeAlphaVantage(LocalServer):
    """See `FakeProvider`.

    Attributes:
        now_ns: The time, for the provider as well.
        no: The next answers to requests for history, instead of data.
        quotes: Day, price and volume by ticker.
        polled: How often each ticker's live prices were asked for.
        asked: All that was asked for, history and live prices.
    """

    polls = True

    def __init__(self, stream: str = "quotes", plan: str = "realtime", sessions: Sessions = ALWAYS_OPEN) -> None:
        super().__init__(page_bars=3)
        self.now_ns = _BEGIN_NS
        self.no: list[dict[str, Any]] = []
        self.quotes: dict[str, tuple[str, float, float]] = {}
        self.polled: dict[str, int] = {}
        self.asked: list[dict[str, str]] = []
        self._stream, self._plan, self._sessions = stream, plan, sessions
        self._changing: tuple[str, int, float, float, int] | None = None
        self._taken: asyncio.Future[None] | None = None
        self._garbage: list[bytes] = []
        self._failing = 0
        self._all_fail = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve on a free port."""
        waits = 3.0  # at its end, for connections that ask nothing
        server = serve(self._talk, "127.0.0.1", 0, process_request=self._http, open_timeout=waits)
        async with server as self._server:
            yield

    def settings(self, key: str = KEY, **more: Any) -> AlphaVantageSettings:
        more = {"alphavantage_requests_per_minute": 1_000_000, "alphavantage_requests_per_day": 0} | more
        return AlphaVantageSettings(
            _env_file=None,
            alpha_vantage_api_key=key,
            alphavantage_plan=self._plan,
            alphavantage_stream=self._stream,
            alphavantage_poll_seconds=0.001,
            alphavantage_url=f"http://127.0.0.1:{self.port}/query",
            **more,
        )

    def provider(self, calls: Calls, *, key: str = KEY, secret: str = SECRET, **more: Any) -> Provider:
        return _Counted(AlphaVantage(self.settings(key, **more), calls, 5.0, self._sessions, lambda: self.now_ns), self)

    async def send(self, *ticks: tuple[str, int, float, float, int]) -> None:
        """Let a quote change when it is asked for next, and wait until that was taken: one after the other."""
        for tick in ticks:
            self._changing, self._taken = tick, asyncio.get_running_loop().create_future()
            await asyncio.wait_for(self._taken, 60)

    def _polled(self, ticker: str) -> None:
        """Note that live prices are asked for, so that what came before was taken."""
        self.polled[ticker] = self.polled.get(ticker, 0) + 1
        if self._changing is None and self._taken is not None:
            self._taken.set_result(None)
            self._taken = None
        if self._changing is not None and self._changing[0] == ticker:
            _, self.now_ns, price, size, _ = self._changing
            self._changing = None
            day, _, volume = self.quotes.get(ticker, _BEFORE)
            today = new_york(self.now_ns).date().isoformat()
            self.quotes[ticker] = (today, price, size + (volume if day == today else 0.0))

    async def send_garbage(self) -> None:
        self._garbage = [b"no JSON", json.dumps({"Global Quote": {"01. symbol": "AAPL"}}).encode()]
        await until(lambda: not self._garbage, what="both to be asked for")

    async def drop(self) -> None:
        """Answer with errors until the provider is given up."""
        self._failing = _ATTEMPTS
        await until(lambda: self._failing == 0, what="the last attempt")
        self._all_fail.set()

    async def _talk(self, connection: ServerConnection) -> None:
        """Serve nobody: there is no stream."""

    async def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        polled = asked["function"] == "GLOBAL_QUOTE" or (self._stream == "minutes" and asked["outputsize"] == "compact")
        self.asked.append(asked)
        status, retry_after, body = 200, None, b""
        if asked["apikey"] != KEY:
            body = json.dumps(BAD_KEY).encode()
        elif not polled:
            status, retry_after = self._next_status(request)
            body = self.body or json.dumps(self.no.pop(0) if self.no else self._series(asked)).encode()
        elif self._failing:
            self._failing -= 1
            status = 502
            if not self._failing:
                await self._all_fail.wait()
        else:
            self._polled(asked["symbol"])
            body = self._garbage.pop(0) if self._garbage else self._live(asked)
        return json_answer(status, body, retry_after, request.path)

    def _live(self, asked: dict[str, str]) -> bytes:
        if self._stream == "minutes":
            return json.dumps(self._series(asked)).encode()
        assert asked.get("entitlement") == (None if self._plan == "free" else self._plan), asked
        day, price, volume = self.quotes.get(asked["symbol"], _BEFORE)
        prices = {"02. open": price - 1, "03. high": price + 1, "04. low": price - 2, "05. price": price}
        written = {name: f"{value:.4f}" for name, value in prices.items()}
        quote = {
            "01. symbol": asked["symbol"],
            **written,
            "06. volume": str(int(volume)),
            "07. latest trading day": day,
        }
        decoration = " - DATA DELAYED BY 15 MINUTES" if self._plan == "delayed" else ""
        return json.dumps({f"Global Quote{decoration}": quote}).encode()

    def _series(self, asked: dict[str, str]) -> dict[str, Any]:
        bars = sorted(self.history.get(asked["symbol"], {}).items())
        if asked["function"] == "TIME_SERIES_INTRADAY":
            assert (asked["adjusted"], asked["extended_hours"], asked["interval"]) == ("true", "false", "1min"), asked
            written = {new_york(start_ns).strftime("%Y-%m-%d %H:%M:%S"): _bar(bar) for start_ns, bar in bars}
            if "month" in asked:
                written = {start: bar for start, bar in written.items() if start.startswith(asked["month"])}
        else:
            written = {new_york(start_ns + 12 * 3_600 * 10**9).date().isoformat(): _bar(bar) for start_ns, bar in bars}
        last = sorted(written)[-100 if asked["outputsize"] == "compact" else 0 :]
        series = {start: written[start] for start in reversed(last)}
        return {"Meta Data": {"2. Symbol": asked["symbol"], "6. Time Zone": "US/Eastern"}, "Time Series (x)": series}


class _Counted:
    """The provider, and how often it was asked for ticks."""

    def __init__(self, provider: AlphaVantage, fake: FakeAlphaVantage) -> None:
        self.traits = provider.traits
        self._provider = provider
        self._fake = fake

    async def ticks(self, tickers: Sequence[str]) -> AsyncGenerator[list[LiveTick | Rejected], None]:
        ticks = self._provider.ticks(tickers)
        try:
            yield await anext(ticks)
            self._fake.connections += 1
            async for heard in ticks:
                yield heard
        finally:
            await ticks.aclose()

    async def history(
        self, tickers: Sequence[str], start_ns: int, end_ns: int, interval: Interval
    ) -> dict[str, BarColumns]:
        return await self._provider.history(tickers, start_ns, end_ns, interval)


def _bar(bar: PlayedBar) -> dict[str, str]:
    prices = {"1. open": bar.open, "2. high": bar.high, "3. low": bar.low, "4. close": bar.close}
    return {name: f"{price:.4f}" for name, price in prices.items()} | {"5. volume": str(int(bar.volume))}
