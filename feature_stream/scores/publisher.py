"""Boards to `scores`: those that differ from what was said last of their ticker."""

import asyncio
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaProducer, ConsumerRecord

from feature_stream.scores.state import ScoreKeeper
from schemas.codec import encode, event_headers
from schemas.events import Scoreboard

#: Boards that are on their way at a time.
_UNDER_WAY = 200
_ID_HEADER = "ce_id"


class ScorePublisher:
    """Knows what was said last of each ticker, and whose outcomes have changed since.

    Attributes:
        changed: Tickers whose boards are to be made; they leave it when the broker has all of them.
    """

    def __init__(self, topic: str, source: str, now_ns: Callable[[], int]) -> None:
        self.changed: set[str] = set()
        self._topic = topic
        self._source = source
        self._now_ns = now_ns
        self._newest: dict[bytes, bytes] = {}

    def remember(self, records: Iterable[ConsumerRecord]) -> None:
        """Take what `scores` says of each ticker; the id names the content, so the header is enough."""
        for record in records:
            board_id = dict(record.headers).get(_ID_HEADER)
            if record.key is not None and board_id is not None:
                self._newest[record.key] = board_id

    async def publish(self, producer: AIOKafkaProducer, keeper: ScoreKeeper) -> None:
        """Send the boards of the tickers that have changed, then that of all; return when the broker has them."""
        if not self.changed:
            return
        waiting = sorted(self.changed)
        for first in range(0, len(waiting), _UNDER_WAY):
            tickers = waiting[first : first + _UNDER_WAY]
            under_way = []
            for ticker in tickers:
                under_way += await self._send(producer, keeper.board(ticker, self._now_ns()))
                await asyncio.sleep(0)  # a board takes a millisecond
            await self._sent(under_way)
        await self._sent(await self._send(producer, keeper.pooled_board(self._now_ns())))
        self.changed.clear()

    async def _send(
        self, producer: AIOKafkaProducer, board: Scoreboard
    ) -> list[tuple[bytes, bytes, "asyncio.Future[object]"]]:
        key, board_id = board.ticker.encode(), board.id.encode()
        if self._newest.get(key) == board_id:
            return []
        headers = event_headers("Scoreboard", self._source, board.id, board.updated_at_ns)
        return [(key, board_id, await producer.send(self._topic, encode(board), key=key, headers=headers))]

    async def _sent(self, under_way: list[tuple[bytes, bytes, "asyncio.Future[object]"]]) -> None:
        for key, board_id, answer in under_way:
            await answer
            self._newest[key] = board_id
