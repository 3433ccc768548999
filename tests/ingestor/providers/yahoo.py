"""A local Yahoo Finance: its stream and its charts, as `yfinance` 1.7 reads them; it documents neither."""

import json
from base64 import b64encode
from collections.abc import Callable
from http import HTTPStatus
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosedError
from websockets.http11 import Request, Response

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.calls import Calls
from ingestor.sources.live.packages import live_binary
from ingestor.sources.live.provider import Provider
from ingestor.sources.providers.yahoo import YahooSettings, open_provider
from schemas.times import NS_PER_MILLISECOND, NS_PER_SECOND, interval_ns
from tests.ingestor.providers.fake import KEY, SECRET
from tests.ingestor.providers.local_server import LocalServer, json_answer

live_binary("curl_cffi")  # before yfinance imports it, as the provider does
PricingData: Any = import_module("yfinance.pricing_pb2").PricingData

#: Length of a bar, and of how many days one answer may have them.
_INTERVALS = {"1m": (interval_ns("1m"), 8), "5m": (interval_ns("5m"), 60), "1d": (interval_ns("1d"), 36_500)}


class FakeYahoo(LocalServer):
    """See `FakeProvider`.

    Attributes:
        market_hours: Of the prices that are sent: 0 before the open, 1, 2 after the close.
        offset_seconds: From UTC to the clock of the exchange.
        day_begins_ns: The time of a daily bar, after 00:00 UTC of its day.
        dividend: Adjusted closes are so much of the closes.
        first_s: It has no bars before; None: it has all.
        refuses_streams: It takes those who ask for a stream for robots.
        extra_rows: More rows of every answer: time, and all else.
    """

    precision_ns = NS_PER_MILLISECOND
    keyless = True
    counts_day_volume = True

    def __init__(self, hours: str = "regular") -> None:
        super().__init__()
        self.market_hours = 1
        self.offset_seconds = -18_000
        self.dividend = 1.0
        self.first_s: int | None = None
        self.extra_rows: list[tuple[int, float | None]] = []
        self.refuses_streams = False
        self._hours = hours
        self._day_volumes: dict[str, float] = {}
        self._told_volumes: dict[tuple[str, int], float] = {}

    def provider(self, calls: Calls, *, key: str = KEY, secret: str = SECRET) -> Provider:
        settings = YahooSettings(
            _env_file=None,
            yahoo_hours=self._hours,
            yahoo_stream_url=f"ws://127.0.0.1:{self.port}/?version=2",
            yahoo_data_url=f"http://127.0.0.1:{self.port}",
        )
        return open_provider(settings, calls, 5.0)

    async def send(self, *ticks: tuple[str, int, float, float, int]) -> None:
        """Send prices, each with the day's volume, which what comes again has again."""
        for ticker, time_ns, price, size, _ in ticks:
            if (ticker, time_ns) not in self._told_volumes:
                self._day_volumes[ticker] = self._day_volumes.get(ticker, 1_000.0) + size
                self._told_volumes[ticker, time_ns] = self._day_volumes[ticker]
            await self.send_price(ticker, time_ns, price, int(self._told_volumes[ticker, time_ns]))

    async def send_price(self, ticker: str, time_ns: int, price: float, day_volume: int) -> None:
        time_ms = time_ns // NS_PER_MILLISECOND
        await self._say(
            ticker,
            PricingData(
                id=ticker,
                price=price,
                time=time_ms,
                day_volume=day_volume,
                market_hours=self.market_hours,
                quote_type=8,
                exchange="NMS",
            ),
        )

    async def send_garbage(self) -> None:
        for connection in list(self._subscribed):
            await connection.send("no JSON")
        await self._say("AAPL", PricingData(id="AAPL", time=1, quote_type=8, market_hours=1))

    async def _say(self, ticker: str, pricing: Any) -> None:
        message = b64encode(pricing.SerializeToString()).decode()
        for connection, tickers in list(self._subscribed.items()):
            if ticker in tickers:
                await connection.send(json.dumps({"type": "pricing", "message": message}))

    async def _talk(self, connection: ServerConnection) -> None:
        try:
            async for frame in connection:
                tickers = set(json.loads(frame)["subscribe"])
                if connection not in self._subscribed:
                    self.connections += 1
                self._subscribed[connection] = tickers
        except ConnectionClosedError:
            pass  # the client broke off
        finally:
            self._subscribed.pop(connection, None)

    async def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.headers.get("Upgrade") == "websocket":  # a browser offers another protocol with each request
            return json_answer(403, b"") if self.refuses_streams else None
        status, retry_after = self._next_status(request)
        if status != 200:
            return json_answer(status, b"Too Many Requests\r\n", retry_after)
        return self._chart(request.path) if self.body is None else json_answer(200, self.body)

    def _chart(self, path: str) -> Response:
        place, _, question = path.partition("?")
        asked = {name: values[0] for name, values in parse_qs(question).items()}
        assert asked["includePrePost"] == str(self._hours == "all").lower(), asked
        length_ns, longest_days = _INTERVALS[asked["interval"]]
        first, end, ticker = int(asked["period1"]), int(asked["period2"]), urlsplit(place).path.split("/")[-1]
        if end - first > longest_days * 86_400:
            return _refuse(422, f"Only {longest_days} days worth of data are allowed to be fetched per request.")
        if self.first_s is not None and first < self.first_s:
            return _refuse(422, "The requested range must be within the last 30 days.")
        daily = asked["interval"] == "1d"
        shift_ns = self.day_begins_ns if daily else 0
        rows = [
            ((start_ns + shift_ns) // NS_PER_SECOND, bar)
            for start_ns, bar in sorted(self.history.get(ticker, {}).items())
            if first <= (start_ns + shift_ns) // NS_PER_SECOND < end and start_ns % length_ns == 0
        ]
        if not rows:
            return _refuse(400, f"Data doesn't exist for startDate = {first}, endDate = {end}")
        return json_answer(200, json.dumps({"chart": {"result": [self._result(rows, daily)], "error": None}}).encode())

    def _result(self, rows: list[tuple[int, PlayedBar]], daily: bool) -> dict[str, Any]:
        def column(value: Callable[[PlayedBar], float]) -> list[float | None]:
            return [value(bar) for _, bar in rows] + [number for _, number in self.extra_rows]

        names = ("open", "high", "low", "close", "volume")
        quote = {name: column(lambda bar, name=name: getattr(bar, name)) for name in names}  # type: ignore[misc]
        indicators: dict[str, Any] = {"quote": [quote]}
        if daily:
            indicators["adjclose"] = [{"adjclose": column(lambda bar: bar.close * self.dividend)}]
        times = [time_s for time_s, _ in rows] + [time_s for time_s, _ in self.extra_rows]
        return {"meta": {"gmtoffset": self.offset_seconds}, "timestamp": times, "indicators": indicators}


def _refuse(status: int, words: str) -> Response:
    error = {"code": HTTPStatus(status).phrase, "description": words}
    return json_answer(status, json.dumps({"chart": {"result": None, "error": error}}).encode())
