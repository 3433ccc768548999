"""A local Polygon: its stream in JSON and its aggregates in pages, as https://massive.com/docs describes them."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.calls import Calls
from ingestor.sources.live.provider import Provider
from ingestor.sources.providers.polygon import PolygonSettings, open_provider
from schemas.times import NS_PER_MILLISECOND, from_rfc3339, interval_ns
from tests.ingestor.providers.fake import KEY, SECRET
from tests.ingestor.providers.local_server import LocalServer, json_answer

_SPANS_NS = {"minute": interval_ns("1m"), "day": interval_ns("1d")}
_CHANNELS = {"trades": "T", "seconds": "A", "minutes": "AM"}


class FakePolygon(LocalServer):
    """See `FakeProvider`.

    Attributes:
        greeting: The first message of a stream.
        refusal: The stream's answer to a log-in or a subscription: status and words.
    """

    precision_ns = NS_PER_MILLISECOND

    def __init__(self, stream: str = "trades", feed: str = "realtime") -> None:
        super().__init__(page_bars=3)
        self.greeting = _status("connected", "Connected Successfully")
        self.refusal: tuple[str, str] | None = None
        self._stream, self._feed = stream, feed

    def provider(self, calls: Calls, *, key: str = KEY, secret: str = SECRET) -> Provider:
        settings = PolygonSettings(
            _env_file=None,
            polygon_api_key=key,
            polygon_stream=self._stream,
            polygon_feed=self._feed,
            polygon_stream_url=f"ws://127.0.0.1:{self.port}",
            polygon_data_url=f"http://127.0.0.1:{self.port}",
        )
        return open_provider(settings, calls, 5.0)

    async def send(self, *ticks: tuple[str, int, float, float, int]) -> None:
        await self._send(
            {"ev": "T", "sym": ticker, "x": 4, "i": str(number), "z": 3, "p": price, "s": size, "c": [0], "t": _ms(ns)}
            for ticker, ns, price, size, number in ticks
        )

    async def send_bar(self, bar: PlayedBar, start_ns: int, length_ns: int) -> None:
        numbers = {"o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": bar.volume}
        times = {"s": _ms(start_ns), "e": _ms(start_ns + length_ns)}
        await self._send([{"ev": _CHANNELS[self._stream], "sym": bar.ticker, "av": 9_999, **numbers, **times}])

    async def send_garbage(self) -> None:
        for connection in list(self._subscribed):
            await connection.send("no JSON")
        await self._send([{"ev": "T", "sym": "AAPL", "x": 4, "i": "1", "s": 1, "t": 1}])

    async def _send(self, messages: Iterable[dict[str, Any]]) -> None:
        all_messages = list(messages)
        for connection, channels in list(self._subscribed.items()):
            wanted = [message for message in all_messages if f"{message['ev']}.{message['sym']}" in channels]
            if wanted:
                await connection.send(json.dumps(wanted))

    async def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        assert connection.request.path == "/stocks"
        await connection.send(self.greeting)
        login = json.loads(await connection.recv())
        if login != {"action": "auth", "params": KEY}:
            await connection.send(_status("auth_failed", "authentication failed"))
            return
        if self.refusal is not None and self.refusal[0] != "error":
            await connection.send(_status(*self.refusal))
            return
        await connection.send(_status("auth_success", "authenticated"))
        asked = json.loads(await connection.recv())
        assert asked["action"] == "subscribe", asked
        if self.refusal is not None:
            await connection.send(_status(*self.refusal))
            return
        self._subscribed[connection] = set(asked["params"].split(","))
        for channel in asked["params"].split(","):
            await connection.send(_status("success", f"subscribed to: {channel}"))
        self.connections += 1
        await connection.wait_closed()
        del self._subscribed[connection]

    async def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        if "Upgrade" in request.headers:
            return None
        status, retry_after = self._next_status(request)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            status = 401
        body = self._page(request.path) if status == 200 else {"status": "ERROR", "request_id": "r", "error": "no"}
        content = json.dumps(body).encode() if self.body is None else self.body
        return json_answer(status, content, retry_after, request.path)

    def _page(self, path: str) -> dict[str, Any]:
        place, _, question = path.partition("?")
        asked = {name: values[0] for name, values in parse_qs(question).items()}
        if "cursor" not in asked:
            assert asked == {"adjusted": "true", "sort": "asc", "limit": "50000"}, asked
        *_, ticker, _, multiplier, span, first, last = place.split("/")
        assert multiplier == "1", place
        length_ns = _SPANS_NS[span]
        shift_ns = self.day_begins_ns if span == "day" else 0
        rows = [
            _bar(start_ns + shift_ns, bar)
            for start_ns, bar in sorted(self.history.get(ticker, {}).items())
            if _bound_ms(first) <= _ms(start_ns) <= _bound_ms(last) and start_ns % length_ns == 0
        ]
        begin = int(asked.get("cursor", "0"))
        end = begin + self.page_bars
        answer: dict[str, Any] = {"ticker": ticker, "adjusted": True, "status": "OK", "request_id": "r"}
        if rows:
            answer["results"] = rows[begin:end]
        if end < len(rows):
            answer["next_url"] = f"https://api.polygon.io{urlsplit(path).path}?cursor={end}"
        return answer


def _status(status: str, words: str) -> str:
    return json.dumps([{"ev": "status", "status": status, "message": words}])


def _bar(start_ns: int, bar: PlayedBar) -> dict[str, Any]:
    numbers = {"o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": bar.volume}
    return {"t": _ms(start_ns), **numbers, "n": 4, "vw": bar.close}


def _ms(time_ns: int) -> int:
    return time_ns // NS_PER_MILLISECOND


def _bound_ms(text: str) -> int:
    return int(text) if text.isdigit() else _ms(from_rfc3339(text))
