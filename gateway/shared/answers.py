"""Answers of the database, kept for a while: in this process always, and in Redis where gateways share one."""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from gateway.instruments import Instruments
from gateway.shared.link import AwayError, RedisLink
from schemas import VERSION

if TYPE_CHECKING:
    from redis.asyncio import Redis

#: Of all bodies kept in this process; the one that was used least recently goes first.
MOST_BYTES = 32 * 2**20
#: A larger body is not kept, a larger one than this not shared: it would not come within the time.
_MOST_BODY_BYTES = MOST_BYTES // 4
_MOST_SHARED_BYTES = 2**20
#: What the cache's own bookkeeping takes for one.
_OVERHEAD_BYTES = 500

_log = logging.getLogger(__name__)

#: Gives the body of an answer; called at most once at a time for equal questions.
Make = Callable[[], Awaitable[bytes]]


class Question(NamedTuple):
    """What is asked; equal questions have equal answers.

    Attributes:
        path: The route's name; it labels metrics.
        asked: All that the answer hangs on, in one text.
        seconds: For which an answer may be given again; 0: not at all.
    """

    path: str
    asked: str
    seconds: float


class _Kept(NamedTuple):
    until_s: float
    body: bytes


class Answers:
    """Finds an answer here, else in Redis, else has it made, once for all who ask at the moment."""

    def __init__(
        self,
        link: RedisLink,
        instruments: Instruments,
        *,
        origin: str = "",
        clock_s: Callable[[], float] = time.monotonic,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Make an empty one.

        Args:
            origin: Names the database: answers of another one are others.
        """
        self._link = link
        self._count = instruments.answer_cache
        self._origin = origin
        self._clock_s = clock_s
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Question, _Kept] = OrderedDict()
        self._under_way: dict[Question, asyncio.Task[bytes]] = {}
        self._sharing: set[asyncio.Task[None]] = set()

    async def get(self, question: Question, make: Make) -> bytes:
        """Give an answer; what `make` raises is raised for all who wait for it, and is not kept."""
        kept = self._kept.get(question)
        if kept is not None and self._clock_s() < kept.until_s:
            self._kept.move_to_end(question)
            self._note(question, "hit")
            return kept.body
        task = self._under_way.get(question)
        if task is None:
            task = self._under_way[question] = asyncio.create_task(self._find(question, make))
            task.add_done_callback(lambda ended: self._over(question, ended))
        else:
            self._note(question, "joined")
        return await asyncio.shield(task)  # others may wait for it too

    async def _find(self, question: Question, make: Make) -> bytes:
        if question.seconds <= 0:
            self._note(question, "miss")
            return await make()
        shared = await self._shared(question)
        if shared is not None:
            self._note(question, "shared")
            self._keep(question, *shared)
            return shared[0]
        self._note(question, "miss")
        body = await make()
        self._keep(question, body, question.seconds)
        self._share(question, body)
        return body

    def _over(self, question: Question, ended: asyncio.Task[bytes]) -> None:
        del self._under_way[question]
        if not ended.cancelled():
            ended.exception()  # whoever still waits gets it

    def _note(self, question: Question, result: str) -> None:
        self._count.labels(question.path, result).inc()
        _log.debug("answer of %s: %s", question.path, result)

    def _keep(self, question: Question, body: bytes, seconds: float) -> None:
        self._drop(question)
        if len(body) > min(_MOST_BODY_BYTES, self._most_bytes):
            return
        self._kept[question] = _Kept(self._clock_s() + seconds, body)
        self._bytes += _size(body)
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, question: Question) -> None:
        kept = self._kept.pop(question, None)
        if kept is not None:
            self._bytes -= _size(kept.body)

    async def _shared(self, question: Question) -> tuple[bytes, float] | None:
        """Give what Redis has, and for how many more seconds it holds."""
        place = self._place(question)

        async def look(redis: "Redis") -> tuple[bytes | None, int]:
            pipeline = redis.pipeline(transaction=False)
            pipeline.get(place)
            pipeline.pttl(place)
            body, left_ms = await pipeline.execute()
            return body, left_ms

        try:
            body, left_ms = await self._link.ask(look)
        except AwayError:
            return None
        return None if body is None or left_ms <= 0 else (body, left_ms / 1_000)

    def _share(self, question: Question, body: bytes) -> None:
        """Hand an answer to Redis; nobody waits for it."""
        if not self._link.up or len(body) > _MOST_SHARED_BYTES:
            return

        async def hand_on() -> None:
            with suppress(AwayError):
                left_ms = round(question.seconds * 1_000)
                await self._link.ask(lambda redis: redis.set(self._place(question), body, px=left_ms))

        task = asyncio.create_task(hand_on())
        self._sharing.add(task)
        task.add_done_callback(self._sharing.discard)

    def _place(self, question: Question) -> str:
        digest = hashlib.sha256("\n".join((VERSION, self._origin, question.path, question.asked)).encode())
        return f"{self._link.prefix}:answer:{digest.hexdigest()}"


def _size(body: bytes) -> int:
    return len(body) + _OVERHEAD_BYTES
