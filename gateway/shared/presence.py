"""Which gateways there are, and how many connections each caller has at the others."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.shared.link import AwayError, RedisLink

if TYPE_CHECKING:
    from redis.asyncio import Redis

TELL_EVERY_SECONDS = 1.0
#: Who has said nothing for so long is gone.
GONE_AFTER_SECONDS = 5.0

#: Notes that a gateway is there, or gone (0 seconds), and gives those that are there, by Redis' clock alone.
_SCRIPT = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
if tonumber(ARGV[2]) > 0 then redis.call('ZADD', KEYS[1], now, ARGV[1]) else redis.call('ZREM', KEYS[1], ARGV[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.6f', now - tonumber(ARGV[3])))
redis.call('EXPIRE', KEYS[1], 60)
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""

_Counts = dict[str, int]


class Presence:
    """This process among the gateways of a deployment; without Redis, those seen last.

    Attributes:
        gateways: How many there are, this one included.
    """

    def __init__(self, link: RedisLink, gateways: int = 1) -> None:
        """Begin with so many gateways, until the others are heard of."""
        self.gateways = gateways
        self._link = link
        self._counting: list[Callable[[], Mapping[str, int]]] = []
        self._name = secrets.token_hex(8)
        self._elsewhere: Counter[str] = Counter()
        self._refused = False

    @property
    def possible(self) -> bool:
        """Tell whether others may ever be heard of: a Redis is configured."""
        return self._link.state is not None

    @property
    def alone(self) -> bool:
        """Tell whether nothing is heard of the others."""
        return self._refused or not self._link.up

    def count(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Have this process' connections told to the others, by a name of whose they are."""
        self._counting.append(counts)

    def connections_elsewhere(self, name: str) -> int:
        """Give the connections at the other gateways, as of a second ago."""
        return self._elsewhere[name]

    async def run(self) -> None:
        """Say that this process is there, until cancelled."""
        try:
            while True:
                try:
                    await self._tell()
                    self._refused = False
                except AwayError:  # the next round is the retry
                    self._refused = self._link.up
                await asyncio.sleep(TELL_EVERY_SECONDS if self._link.up else TELL_EVERY_SECONDS / 10)
        finally:
            with suppress(AwayError):
                await self._link.ask(lambda redis: self._note(redis, here=False))

    async def _tell(self) -> None:
        names = await self._link.ask(lambda redis: self._note(redis, here=True))
        others = [name for name in names if name != self._name]
        self.gateways = 1 + len(others)
        places = [self._place(name) for name in others]
        bodies: list[Any] = await self._link.ask(lambda redis: redis.mget(places)) if places else []
        elsewhere: Counter[str] = Counter()
        for body in filter(None, bodies):
            with suppress(msgspec.DecodeError):  # of another version
                elsewhere.update(msgspec.msgpack.decode(body, type=_Counts))
        self._elsewhere = elsewhere

    async def _note(self, redis: "Redis", *, here: bool) -> list[str]:
        pipeline = redis.pipeline(transaction=False)
        gateways = f"{self._link.prefix}:gateways"
        pipeline.eval(_SCRIPT, 1, gateways, self._name, int(here), GONE_AFTER_SECONDS)
        counts = {name: count for counted in self._counting for name, count in counted().items()}
        place, told = self._place(self._name), msgspec.msgpack.encode(counts)
        if here:
            pipeline.set(place, told, px=round(GONE_AFTER_SECONDS * 1_000))
        else:
            pipeline.delete(place)
        answers: list[Any] = await pipeline.execute()
        return [name.decode() for name in answers[0]]

    def _place(self, name: str) -> str:
        return f"{self._link.prefix}:connections:{name}"
