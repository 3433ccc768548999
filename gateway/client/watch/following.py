"""Keeps a board up to date: the stream, the health of the system, the recorded closes."""

import asyncio
import time
from collections.abc import Callable, Sequence

from gateway.client import Client, ClientError, Disconnected, Health, RequestError, Stream
from gateway.client.watch.board import Board
from gateway.client.watch.closes import KEPT
from gateway.client.watch.refusals import nobody_there, not_ready, refused, refused_message, unknown_ticker
from gateway.client.watch.troubles import troubles
from schemas.sockets import ErrorMessage, StreamedPrediction, Subscribed, Welcome

_LOOK_SECONDS = 5.0
_NOT_FOUND, _TOO_MANY_REQUESTS = 404, 429


class Following:
    """Of one gateway.

    Attributes:
        health: As last said; None where the gateway does not say it.
    """

    def __init__(self, client: Client, url: str, board: Board) -> None:
        self.health: Health | None = None
        self._client = client
        self.url = url
        self._board = board
        self._tickers_there = 0

    def troubles(self) -> list[str]:
        """Say what is degraded."""
        return troubles(self.health, self._board.latest.values())

    async def follow(
        self, stream: Stream[StreamedPrediction], enough: Callable[[], bool], *, patient: bool = True
    ) -> None:
        """Take events until there is enough.

        Args:
            patient: A gateway that has nothing to show yet is waited for.

        Raises:
            TickcastError: There is nobody, or we are not wanted.
        """
        try:
            while not enough():
                for event in await stream.next_events():
                    await self._check(event, patient=patient)
                    self._board.take(event, time.time_ns())
        except ClientError as error:
            raise refused(self.url, error) from error

    async def _check(self, event: object, *, patient: bool) -> None:
        match event:
            case Disconnected(code=None) if not self._board.met:
                raise nobody_there(self.url, event.reason)
            case Disconnected() if not patient:
                raise not_ready(self.url, event.reason)
            case ErrorMessage() if (error := refused_message(event)) is not None:
                raise error
            case Welcome():
                self._tickers_there = event.tickers
            case Subscribed() if self._tickers_there and not self._board.complete:
                await self._ask_about(event.unknown)
            case _:
                pass

    async def _ask_about(self, unknown: Sequence[str]) -> None:
        """Have said what is wrong with tickers of which nothing is known."""
        for ticker in unknown:
            try:
                await self._client.prediction(ticker)
            except RequestError as error:
                if error.status == _NOT_FOUND:
                    raise unknown_ticker(ticker, error.problem) from error

    async def look_at_health(self) -> None:
        """Ask for the health of the system once."""
        try:
            self.health = await self._client.health()
        except ClientError:  # the connection's own line says it
            self.health = None

    async def keep_looking(self) -> None:
        """Ask for the health of the system again and again."""
        while True:
            await self.look_at_health()
            await asyncio.sleep(_LOOK_SECONDS)

    async def fill_closes(self, tickers: Sequence[str]) -> None:
        """Fetch what is recorded of these; where that cannot be had, the lines begin now."""
        for ticker in self._board.closes.unknown(tickers):
            try:
                self._board.closes.fill(ticker, await self._client.past_bars(ticker, limit=KEPT))
            except RequestError as error:
                if error.status == _TOO_MANY_REQUESTS:
                    return
                self._board.closes.fill(ticker, ())
            except ClientError:
                return

    async def keep_filling(self, shown: Callable[[], Sequence[str]]) -> None:
        """Fetch what comes into sight, again and again."""
        while True:
            await self.fill_closes(shown())
            await asyncio.sleep(1.0)
