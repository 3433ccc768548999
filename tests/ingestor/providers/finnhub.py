"""A local Finnhub: its stream in JSON and its candles, as https://finnhub.io/docs/api describes them."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosedError
from websockets.http11 import Request, Response

from ingestor.sources.live.calls import Calls
from ingestor.sources.live.provider import Provider
from ingestor.sources.providers.finnhub import FinnhubSettings, open_provider
from schemas.times import NS_PER_MILLISECOND, NS_PER_SECOND, interval_ns
from tests.ingestor.providers.fake import KEY, SECRET, until
from tests.ingestor.providers.local_server import LocalServer, json_answer

_LENGTHS_NS = {"1": interval_ns("1m"), "D": interval_ns("1d")}


class FakeFinnhub(LocalServer):
    """See `FakeProvider`.

    Attributes:
        stream_moved_to: Where its stream sends those who ask for it; empty: nowhere.
        words: What refusals by its REST side say.
    """

    precision_ns = NS_PER_MILLISECOND

    def __init__(self) -> None:
        super().__init__()
        self.words = "no"
        self.stream_moved_to = ""

    def settings(self, **changed: Any) -> FinnhubSettings:
        own: dict[str, Any] = {
            "finnhub_api_key": KEY,
            "finnhub_stream_url": f"ws://127.0.0.1:{self.port}",
            "finnhub_data_url": f"http://127.0.0.1:{self.port}/api/v1",
        }
        return FinnhubSettings(_env_file=None, **(own | changed))

    def provider(
        self, calls: Calls, *, key: str = KEY, secret: str = SECRET, settings: FinnhubSettings | None = None
    ) -> Provider:
        return open_provider(settings or self.settings(finnhub_api_key=key), calls, 5.0)

    async def send(self, *ticks: tuple[str, int, float, float, int]) -> None:
        """Send trades, which have no numbers here."""
        await self.subscribed(*(tick[0] for tick in ticks))
        trades = [_trade(*tick[:4]) for tick in ticks]
        await self.say({"type": "trade", "data": trades})

    async def send_garbage(self) -> None:
        for connection in list(self._subscribed):
            await connection.send("no JSON")
        await self.say({"type": "trade", "data": [{"s": "AAPL", "t": 1, "v": 1, "c": None}]})

    async def subscribed(self, *tickers: str) -> None:
        """Wait for subscriptions, which nobody is told of."""
        await until(lambda: any(set(tickers) <= own for own in self._subscribed.values()), what="subscriptions")

    async def say(self, message: dict[str, Any]) -> None:
        """Send a message to all who are subscribed to something."""
        for connection in list(self._subscribed):
            await connection.send(json.dumps(message))

    async def _talk(self, connection: ServerConnection) -> None:
        try:
            async for frame in connection:
                asked = json.loads(frame)
                assert asked["type"] == "subscribe", asked
                if connection not in self._subscribed:
                    self.connections += 1
                self._subscribed.setdefault(connection, set()).add(asked["symbol"])
        except ConnectionClosedError:
            pass  # the client broke off
        finally:
            self._subscribed.pop(connection, None)

    async def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        if "Upgrade" in request.headers and self.stream_moved_to:
            return _answer(302, {}, place=self.stream_moved_to)
        if "Upgrade" in request.headers:
            return None if asked["token"] == KEY else _answer(401, {"error": "Invalid API key"})
        status, retry_after = self._next_status(request)
        if request.headers.get("X-Finnhub-Token") != KEY:
            return _answer(401, {"error": "Invalid API key"})
        body = self._candles(asked) if status == 200 else {"error": self.words}
        return _answer(status, body if self.body is None else self.body, retry_after)

    def _candles(self, asked: dict[str, str]) -> dict[str, Any]:
        first, last, length_ns = int(asked["from"]), int(asked["to"]), _LENGTHS_NS[asked["resolution"]]
        assert asked["resolution"] == "D" or last - first < 31 * 86_400, asked
        shift_ns = self.day_begins_ns if asked["resolution"] == "D" else 0
        rows = [
            ((start_ns + shift_ns) // NS_PER_SECOND, bar)
            for start_ns, bar in sorted(self.history.get(asked["symbol"], {}).items())
            if first <= (start_ns + shift_ns) // NS_PER_SECOND <= last and start_ns % length_ns == 0
        ]
        if not rows:
            return {"s": "no_data"}
        names = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
        columns = {short: [getattr(bar, name) for _, bar in rows] for short, name in names.items()}
        return {"s": "ok", "t": [time_s for time_s, _ in rows], **columns}


def _trade(ticker: str, time_ns: int, price: float, size: float) -> dict[str, Any]:
    return {"s": ticker, "p": price, "t": time_ns // NS_PER_MILLISECOND, "v": size, "c": ["1", "12"]}


def _answer(
    status: int, body: dict[str, Any] | bytes, retry_after: str | None = None, place: str = "/elsewhere"
) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return json_answer(status, content, retry_after, place)
