"""The gateway, for programs that run an event loop."""

from collections.abc import Callable, Iterable
from random import Random
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

from gateway.client.backoff import Backoff
from gateway.client.credentials import Credentials
from gateway.client.events import BarUpdate, Update
from gateway.client.health import Health
from gateway.client.reconnection import Reconnection
from gateway.client.rest import Rest
from gateway.client.session import Session
from gateway.client.stream import Stream
from gateway.client.wishes import Options
from schemas.public import PastBar, PastBars, PublicPrediction, PublicPredictions
from schemas.sockets import BARS_SOCKET_PATH, SOCKET_PATH, MessageFormat, StreamedPrediction
from schemas.symbols import normalise_ticker


class Client:
    """Asks for predictions, and opens streams of them; each stream is a WebSocket of its own."""

    def __init__(
        self, url: str, credentials: Credentials, *, timeout_seconds: float, longest_wait_seconds: float
    ) -> None:
        if not _is_address(url):
            raise ValueError(f"{url!r} is not the address of a gateway: give one like http://127.0.0.1:8000")
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._timeout_seconds = timeout_seconds
        self._longest_wait_seconds = longest_wait_seconds
        self._rest = Rest(self._url, credentials, timeout_seconds)
        self._streams: list[Stream[StreamedPrediction] | Stream[BarUpdate]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all streams, and close all connections."""
        for stream in self._streams:
            await stream.close()
        await self._rest.close()

    async def prediction(self, ticker: str, *, horizon: int | None = None) -> PublicPrediction:
        """Give the latest prediction of a ticker.

        Args:
            horizon: In bars; None: the shortest on offer.

        Raises:
            ClientError: It could not be had; its class says what to do.
        """
        return await self._rest.get(f"/predict/{_in_path(ticker)}", PublicPrediction, {"horizon": horizon})

    async def latest(self) -> list[PublicPrediction]:
        """Give the latest prediction of every ticker.

        Raises:
            ClientError: They could not be had; its class says what to do.
        """
        return (await self._rest.get("/predictions", PublicPredictions)).predictions

    async def past_bars(self, ticker: str, *, limit: int = 100) -> list[PastBar]:
        """Give the last closed bars of a ticker that are recorded, oldest first.

        Raises:
            RequestError: Nothing is recorded of it (404), or what is cannot be read now (503).
            ClientError: The gateway could not be asked.
        """
        return (await self._rest.get(f"/bars/{_in_path(ticker)}", PastBars, {"limit": limit})).bars

    async def health(self) -> Health:
        """Give the state of the gateway, and of what it knows of the other services.

        Raises:
            RequestError: It cannot answer yet, or no longer (503).
            ClientError: It could not be asked.
        """
        return await self._rest.get("/health", Health)

    def predictions(
        self,
        tickers: Iterable[str],
        *,
        max_rate: float | None = None,
        min_confidence: float | None = None,
        final_only: bool = False,
        format: MessageFormat = "json",  # noqa: A002 - as the protocol calls it
    ) -> Stream[StreamedPrediction]:
        """Open a stream of predictions: the latest of each ticker, then every new one.

        Args:
            tickers: `["*"]` is all of them.
            max_rate: Provisional updates a second and ticker, of which the newest comes.
            min_confidence: Only predictions whose shortest horizon has at least this confidence.
            final_only: Only predictions of closed bars.
            format: On the wire.

        Raises:
            ValueError: One is no symbol.
        """
        options = Options(max_rate=max_rate, min_confidence=min_confidence, final_only=final_only, format=format)
        stream: Stream[StreamedPrediction] = self._stream(SOCKET_PATH, options, tickers)
        return stream

    def bars(
        self,
        tickers: Iterable[str],
        *,
        max_rate: float | None = None,
        final_only: bool = False,
        format: MessageFormat = "json",  # noqa: A002 - as the protocol calls it
    ) -> Stream[BarUpdate]:
        """Open a stream of bars: the last closed one of each ticker, then those that form and those that close.

        Args:
            tickers: `["*"]` is all of them.
            max_rate: Forming bars a second and ticker, of which the newest comes.
            final_only: Only closed bars.
            format: On the wire.

        Raises:
            ValueError: One is no symbol.
        """
        options = Options(max_rate=max_rate, final_only=final_only, format=format)
        stream: Stream[BarUpdate] = self._stream(BARS_SOCKET_PATH, options, tickers)
        return stream

    def _stream(self, path: str, options: Options, tickers: Iterable[str]) -> Stream[Update]:
        backoff = Backoff(Random(), longest_seconds=self._longest_wait_seconds)
        session = Session(options, self._credentials, Reconnection(backoff))
        session.subscribe(tickers)
        stream: Stream[Update] = Stream(self._url, path, session, self._timeout_seconds)
        self._streams = [*(one for one in self._streams if not one.closed), stream]
        return stream


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        return False


def _in_path(ticker: str) -> str:
    return quote(normalise_ticker(ticker), safe="")


def connect(
    url: str,
    *,
    api_key: str | None = None,
    token: Callable[[], str] | None = None,
    timeout_seconds: float = 10.0,
    longest_wait_seconds: float = 30.0,
) -> Client:
    """Give a client of the gateway at an address, to be used in `async with`.

    Args:
        url: Like `http://127.0.0.1:8000`; `https` brings `wss` with it.
        token: Gives an access token; called for each request and connection, since tokens expire.
        timeout_seconds: Of a request, and of opening a stream's connection.
        longest_wait_seconds: Of a stream, before it tries to connect again, unless the gateway says otherwise.

    Raises:
        ValueError: The address is none.
    """
    credentials = Credentials(api_key, token)
    return Client(url, credentials, timeout_seconds=timeout_seconds, longest_wait_seconds=longest_wait_seconds)
