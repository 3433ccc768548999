"""Token buckets that gateways share: each spends what it holds, and asks Redis for more in the background.

Redis has the bucket. A gateway holds a slice of it, at most the burst divided by the gateways there are, and spends
that without asking anybody. For somebody new it takes its slice in advance and says so afterwards; that is all by which
two gateways together may go beyond a limit. What it does not need it gives back. Without Redis, or with one that
refuses to write (it is full, or a replica), each slice fills up by itself, at the limit's rate divided by the gateways
seen last.
"""

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.limits.buckets import MAXIMUM_BUCKETS, SECOND_NS, Buckets, Limit, LocalBuckets
from gateway.shared.link import AwayError, RedisLink
from schemas.log_events import LogEvent, about

if TYPE_CHECKING:
    from redis.asyncio import Redis

#: Owners in one question.
MOST_AT_ONCE = 500
#: Who asked for nothing for so long, and whose slice is whole, gives it back.
IDLE_NS = 2 * SECOND_NS
_LEAST_TTL_MS = 10_000
SETTLE_EVERY_SECONDS = 0.1
_PAUSE_SECONDS = 0.01

_log = logging.getLogger(__name__)

#: Per key: how many are wanted (below 0: given back), how many were taken in advance, and what is known of the bucket.
_SCRIPT = """
local rate, burst, ttl_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local granted = {}
for i, key in ipairs(KEYS) do
  local wanted, owed, bucket = tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2]), ARGV[3 * i + 3]
  local kept = redis.call('HMGET', key, 'level', 'at')
  local level
  if kept[1] then
    level = math.min(burst, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * rate)
  else
    level = bucket == 'new' and burst or 0
  end
  if bucket == 'doubted' then level = math.min(level, 0) end
  level = level - owed
  local given = wanted
  if wanted > 0 then given = math.max(0, math.floor(math.min(wanted, level))) end
  level = math.min(burst, level - given)
  redis.call('HSET', key, 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
  redis.call('PEXPIRE', key, ttl_ms)
  granted[i] = given
end
return granted
"""


@dataclass(slots=True)
class _Slice:
    """What this gateway holds of somebody's bucket.

    Attributes:
        owed: Taken in advance, and not told to Redis yet.
        bucket: What we know of the one in Redis: `new`: nothing yet; `known`; `doubted`: more may have been spent.
    """

    tokens: float
    owed: int
    used_ns: int
    filled_ns: int
    bucket: str = "new"


class _Wish(NamedTuple):
    """What is asked of somebody's bucket: so many more (below 0: so many back), besides what is owed."""

    owner: str
    held: _Slice
    wanted: int
    owed: int


class LeasedBuckets:
    """The buckets of one limit; see `gateway.limits.buckets.Buckets`."""

    def __init__(
        self,
        limit: Limit,
        link: RedisLink,
        gateways: Callable[[], int],
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        is_low: Callable[[], None] = lambda: None,
        maximum_buckets: int = MAXIMUM_BUCKETS,
    ) -> None:
        """Make them.

        Args:
            gateways: Gives the number of gateways seen last, this one included.
            is_low: Called when a slice is half spent.
        """
        self._limit = limit
        self._link = link
        self._gateways = gateways
        self._clock_ns = clock_ns
        self._is_low = is_low
        self._maximum_buckets = maximum_buckets
        self._slices: OrderedDict[str, _Slice] = OrderedDict()  # who asked last is last
        self._due: dict[str, None] = {}
        self._refused = False

    def __len__(self) -> int:
        return len(self._slices)

    @property
    def limit(self) -> Limit:
        """Give what holds for each."""
        return self._limit

    @property
    def slice_size(self) -> int:
        """Give how many this gateway may hold of a bucket."""
        return max(1, self._limit.burst // max(1, self._gateways()))

    @property
    def refused(self) -> bool:
        """Tell whether Redis answers, but would not settle the last time."""
        return self._refused

    @property
    def _alone(self) -> bool:
        return self._refused or not self._link.up

    def take(self, owner: str) -> tuple[int, int]:
        """Take one out of somebody's bucket; see `Buckets`."""
        now_ns, size = self._clock_ns(), self.slice_size
        held = self._slices.get(owner)
        if held is None:
            held = self._begin(owner, size, now_ns)
        else:
            self._slices.move_to_end(owner)
            self._fill_alone(held, size, now_ns)
        held.used_ns = now_ns
        if 2 * held.tokens <= size:
            self._due[owner] = None
            self._is_low()
        if held.tokens < 1:
            return -1, math.ceil((1 - held.tokens) * self._next_ns())
        held.tokens -= 1
        return int(held.tokens), self._next_ns()

    def _begin(self, owner: str, size: int, now_ns: int) -> _Slice:
        if len(self._slices) >= self._maximum_buckets:
            self._slices.popitem(last=False)
        held = self._slices[owner] = _Slice(float(size), size, now_ns, now_ns)
        self._due[owner] = None
        return held

    def _fill_alone(self, held: _Slice, size: int, now_ns: int) -> None:
        """Let a slice fill up by itself while Redis is away, or refuses."""
        if self._alone:
            held.bucket = "doubted"
            come = (now_ns - held.filled_ns) / self._next_ns()
            held.tokens = max(held.tokens, min(float(size), held.tokens + come))
        held.filled_ns = now_ns

    def _next_ns(self) -> int:
        """Give the time in which one more comes: of the whole bucket, or of our share of it."""
        return self._limit.interval_ns * (max(1, self._gateways()) if self._alone else 1)

    async def settle(self) -> None:
        """Tell Redis what was taken in advance, give back what is not needed, and have slices filled.

        Raises:
            AwayError: Redis does not answer, or refuses; what it gave is lost, and what we owe is still owed.
        """
        wishes = [*self._wishes_of_due(), *self._wishes_of_idle()]
        if not wishes:
            return
        try:
            granted = await self._link.ask(lambda redis: self._ask(redis, wishes))
        except AwayError:
            self._due |= {wish.owner: None for wish in wishes}
            self._refused = self._link.up
            raise
        self._refused = False
        for wish, given in zip(wishes, granted, strict=True):
            wish.held.owed -= wish.owed
            wish.held.tokens += max(0, given)
            wish.held.bucket = "known"

    def _wishes_of_due(self) -> list[_Wish]:
        owners = [self._due.popitem()[0] for _ in range(min(len(self._due), MOST_AT_ONCE))]
        return [self._wish(owner, held) for owner in owners if (held := self._slices.get(owner)) is not None]

    def _wishes_of_idle(self) -> list[_Wish]:
        """Fill the slices of those who ask no more, and give those that are whole back."""
        now_ns, size = self._clock_ns(), self.slice_size
        wishes = []
        for owner, held in list(islice(self._slices.items(), MOST_AT_ONCE)):
            if now_ns - held.used_ns < IDLE_NS:
                break
            if held.owed or held.tokens < size:
                self._slices.move_to_end(owner)
                wishes.append(self._wish(owner, held))
            else:
                del self._slices[owner]
                wishes.append(_Wish(owner, held, -int(held.tokens), 0))
        return wishes

    def _wish(self, owner: str, held: _Slice) -> _Wish:
        wanted = self.slice_size - int(held.tokens)
        held.tokens += min(0, wanted)  # more gateways than before: what is too much goes back
        return _Wish(owner, held, wanted, held.owed)

    async def _ask(self, redis: "Redis", wishes: Sequence[_Wish]) -> list[int]:
        ttl_ms = max(_LEAST_TTL_MS, 2_000 * self._limit.window_seconds)
        arguments: list[Any] = [self._limit.per_second, self._limit.burst, ttl_ms]
        for wish in wishes:
            arguments += [wish.wanted, wish.owed, wish.held.bucket]
        keys = [f"{self._link.prefix}:limit:{self._limit.name}:{wish.owner}" for wish in wishes]
        answer: list[int] = await redis.eval(_SCRIPT, len(keys), *keys, *arguments)
        return answer


class LeaseDesk:
    """Settles the buckets of all limits, again and again, and at once when a slice is half spent."""

    def __init__(self, link: RedisLink, gateways: Callable[[], int]) -> None:
        self._link = link
        self._gateways = gateways
        self._buckets: list[LeasedBuckets] = []
        self._low = asyncio.Event()
        self._refused = False

    def make_buckets(self, limit: Limit) -> Buckets:
        """Give the buckets of a limit: shared ones where a Redis is configured, else this process' share of them."""
        if self._link.state is None:
            return LocalBuckets(limit.share(self._gateways()))
        buckets = LeasedBuckets(limit, self._link, self._gateways, is_low=self._low.set)
        self._buckets.append(buckets)
        return buckets

    async def run(self) -> None:
        """Settle until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_EVERY_SECONDS):
                    await self._low.wait()
            self._low.clear()
            if self._link.up:
                await self._settle()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _settle(self) -> None:
        for buckets in self._buckets:
            with suppress(AwayError):  # the next round is the retry
                await buckets.settle()
        refused = any(buckets.refused for buckets in self._buckets)
        if refused != self._refused and self._link.up:  # what is away the link says
            self._refused = refused
            said = about(LogEvent.FALLBACK, of="redis-limits", began=refused)
            if refused:
                _log.warning("Redis refuses to keep limits: this gateway enforces its share until it does", extra=said)
            else:
                _log.info("Redis keeps limits", extra=said)
