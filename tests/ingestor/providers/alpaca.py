"""A local Alpaca: its stream in MessagePack and its bars in pages, as https://docs.alpaca.markets describes them."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgpack
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.calls import Calls
from ingestor.sources.live.provider import Provider
from ingestor.sources.providers.alpaca import AlpacaSettings, open_provider
from schemas.times import from_rfc3339, interval_ns, to_rfc3339
from tests.ingestor.providers.fake import KEY, SECRET
from tests.ingestor.providers.local_server import LocalServer, json_answer

_INTERVALS = {"1Min": interval_ns("1m"), "1Day": interval_ns("1d")}


class FakeAlpaca(LocalServer):
    """See `FakeProvider`.

    Attributes:
        greeting: The first message of a stream.
        error: A stream's answer to a subscription instead of the acknowledgement: code and words.
        at_subscription: Is called before one is acknowledged.
        refused: Likewise, where one of these tickers is asked for.
        exchange: Where what is sent was traded.
    """

    def __init__(self, stream: str = "trades") -> None:
        super().__init__(page_bars=3)
        self.greeting: list[Any] = [{"T": "success", "msg": "connected"}]
        self.error: tuple[int, str] | None = None
        self.refused: dict[str, tuple[int, str]] = {}
        self.at_subscription: Callable[[], None] = lambda: None
        self.exchange = "V"
        self._stream = stream

    @property
    def streams(self) -> int:
        """Give how many streams are subscribed now."""
        return len(self._subscribed)

    def settings(self, *, key: str = KEY, secret: str = SECRET) -> AlpacaSettings:
        return AlpacaSettings(
            _env_file=None,
            apca_api_key_id=key,
            apca_api_secret_key=secret,
            alpaca_stream=self._stream,
            alpaca_stream_url=f"ws://127.0.0.1:{self.port}",
            alpaca_data_url=f"http://127.0.0.1:{self.port}",
        )

    def provider(self, calls: Calls, *, key: str = KEY, secret: str = SECRET) -> Provider:
        return open_provider(self.settings(key=key, secret=secret), calls, 5.0)

    async def send(self, *ticks: tuple[str, int, float, float, int]) -> None:
        messages = [
            {
                "T": "t",
                "i": number,
                "S": ticker,
                "x": self.exchange,
                "p": price,
                "s": size,
                "c": ["@"],
                "z": "C",
                "t": _time(ns),
            }
            for ticker, ns, price, size, number in ticks
        ]
        await self._send(messages)

    async def send_bar(self, bar: PlayedBar, start_ns: int) -> None:
        message = {
            "T": "b",
            "S": bar.ticker,
            "o": bar.open,
            "h": bar.high,
            "l": bar.low,
            "c": bar.close,
            "v": bar.volume,
        }
        await self._send([message | {"t": _time(start_ns), "n": 4, "vw": bar.close}])

    async def send_garbage(self) -> None:
        for connection in list(self._subscribed):
            await connection.send(b"\xc1 no MessagePack")
        await self._send([{"T": "t", "i": 1, "S": "AAPL", "s": 1, "t": _time(1)}])

    async def _send(self, messages: list[dict[str, Any]]) -> None:
        for connection, tickers in list(self._subscribed.items()):
            wanted = [message for message in messages if message["S"] in tickers]
            if wanted:
                with suppress(ConnectionClosed):  # it goes away at this moment
                    await connection.send(_pack(wanted))

    async def _talk(self, connection: ServerConnection) -> None:
        await connection.send(_pack(self.greeting))
        login = msgpack.unpackb(await connection.recv())
        if (login["action"], login["key"], login["secret"]) != ("auth", KEY, SECRET):
            await connection.send(_pack([{"T": "error", "code": 402, "msg": "auth failed"}]))
            return
        await connection.send(_pack([{"T": "success", "msg": "authenticated"}]))
        asked = msgpack.unpackb(await connection.recv())
        assert asked["action"] == "subscribe", asked
        self.at_subscription()
        refusals = [self.refused[ticker] for ticker in asked[self._stream] if ticker in self.refused]
        for code, words in refusals or ([] if self.error is None else [self.error]):
            await connection.send(_pack([{"T": "error", "code": code, "msg": words}]))
            return
        channels = {name: asked.get(name, []) for name in ("trades", "quotes", "bars")}
        await connection.send(_pack([{"T": "subscription", **channels}]))
        self.connections += 1
        self._subscribed[connection] = set(asked[self._stream])
        await connection.wait_closed()
        del self._subscribed[connection]

    async def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        if "Upgrade" in request.headers:
            return None
        status, retry_after = self._next_status(request)
        keys = (request.headers.get("APCA-API-KEY-ID"), request.headers.get("APCA-API-SECRET-KEY"))
        if keys != (KEY, SECRET):
            status = 401
        body = self._page(request.path) if status == 200 else {"code": 40010001, "message": "no"}
        content = json.dumps(body).encode() if self.body is None else self.body
        return json_answer(status, content, retry_after, request.path)

    def _page(self, path: str) -> dict[str, Any]:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        assert asked["feed"] == "iex", asked
        first, last = from_rfc3339(asked["start"]), from_rfc3339(asked["end"])
        length_ns = _INTERVALS[asked["timeframe"]]
        shift_ns = self.day_begins_ns if asked["timeframe"] == "1Day" else 0
        rows = [
            (ticker, _bar(start_ns + shift_ns, bar))
            for ticker in sorted(asked["symbols"].split(","))
            for start_ns, bar in sorted(self.history.get(ticker, {}).items())
            if first <= start_ns + shift_ns <= last and start_ns % length_ns == 0
        ]
        begin = int(asked.get("page_token", "0"))
        page, end = rows[begin : begin + self.page_bars], begin + self.page_bars
        bars: dict[str, list[dict[str, Any]]] = {}
        for ticker, bar in page:
            bars.setdefault(ticker, []).append(bar)
        return {"bars": bars, "next_page_token": str(end) if end < len(rows) else None}


def _bar(start_ns: int, bar: PlayedBar) -> dict[str, Any]:
    numbers = {"o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": bar.volume}
    return {"t": to_rfc3339(start_ns), **numbers, "n": 4, "vw": bar.close}


def _time(time_ns: int) -> msgpack.Timestamp:
    return msgpack.Timestamp.from_unix_nano(time_ns)


def _pack(messages: Iterable[dict[str, Any]]) -> bytes:
    packed: bytes = msgpack.packb(list(messages))
    return packed
