"""Token buckets: how often something may happen, in whole nanoseconds."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

#: Of one limit; beyond it, who has asked for nothing for longest is forgotten though his bucket is not full again.
MAXIMUM_BUCKETS = 100_000
SECOND_NS = 1_000_000_000
#: Buckets that are looked at for each new one: more than one, so that those which are full again become fewer.
_LOOKED_AT = 2


@dataclass(frozen=True, slots=True)
class Limit:
    """What everybody may do, each for himself.

    Attributes:
        name: As headers and errors name it.
        per_second: How many come back in a second.
        burst: How many there are in a full bucket.
    """

    name: str
    per_second: float
    burst: int

    @property
    def interval_ns(self) -> int:
        """Give the time in which one comes back, rounded up: so there are never too many."""
        return math.ceil(SECOND_NS / self.per_second)

    @property
    def window_seconds(self) -> int:
        """Give the time in which an empty bucket is full again."""
        return whole_seconds(self.burst * self.interval_ns)

    def share(self, processes: int) -> "Limit":
        """Give what holds in one of so many processes that know nothing of each other."""
        return Limit(self.name, self.per_second / processes, max(1, self.burst // processes))


def whole_seconds(duration_ns: int) -> int:
    """Round a duration up."""
    return -(-duration_ns // SECOND_NS)


class Buckets(Protocol):
    """The buckets of one limit, one for each owner."""

    @property
    def limit(self) -> Limit:
        """Give what holds for each."""

    def take(self, owner: str) -> tuple[int, int]:
        """Take one out of somebody's bucket, at once and from what this process knows.

        Returns:
            How many are left, -1 where there was none to take; and the time until one more is there, in nanoseconds.
        """


class LocalBuckets:
    """Those of this process. Of each bucket only the time is kept when it is full again (GCRA)."""

    def __init__(
        self, limit: Limit, clock_ns: Callable[[], int] = time.monotonic_ns, maximum_buckets: int = MAXIMUM_BUCKETS
    ) -> None:
        self._limit = limit
        self._clock_ns = clock_ns
        self._maximum_buckets = maximum_buckets
        self._interval_ns = limit.interval_ns
        self._fill_ns = limit.burst * limit.interval_ns
        self._full_at_ns: OrderedDict[str, int] = OrderedDict()  # who asked last is last

    def __len__(self) -> int:
        return len(self._full_at_ns)

    @property
    def limit(self) -> Limit:
        """Give what holds for each."""
        return self._limit

    def take(self, owner: str) -> tuple[int, int]:
        """Take one out of somebody's bucket; see `Buckets`."""
        now_ns = self._clock_ns()
        full_at_ns = self._full_at_ns.get(owner)
        if full_at_ns is None:
            self._make_room(now_ns)
            full_at_ns = now_ns
        elif full_at_ns < now_ns:
            full_at_ns = now_ns
        spare_ns = now_ns + self._fill_ns - full_at_ns - self._interval_ns
        if spare_ns < 0:
            self._full_at_ns.move_to_end(owner)
            return -1, -spare_ns
        self._full_at_ns[owner] = full_at_ns + self._interval_ns
        self._full_at_ns.move_to_end(owner)
        left, begun_ns = divmod(spare_ns, self._interval_ns)
        return left, self._interval_ns - begun_ns

    def _make_room(self, now_ns: int) -> None:
        """Forget buckets that are full again: a new one is the same."""
        for _ in range(min(_LOOKED_AT, len(self._full_at_ns))):
            oldest = next(iter(self._full_at_ns))
            full = self._full_at_ns[oldest] <= now_ns
            if not full and len(self._full_at_ns) < self._maximum_buckets:
                return
            del self._full_at_ns[oldest]
