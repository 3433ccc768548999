"""The ticks of a frame as columns of numbers."""

from dataclasses import dataclass
from functools import lru_cache
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from feature_stream.ticks import EARLIEST_NS, HIGHEST_PRICE, HIGHEST_SIZE, LATEST_NS, LOWEST_PRICE
from schemas.events import TickFrame

#: Fewer ticks are faster one by one.
LEAST_TICKS = 32


@dataclass(frozen=True, slots=True)
class TickColumns:
    """Columns of equal length, at least 1, in the order of arrival.

    Attributes:
        oldest_ns: The lowest of `times_ns`.
        newest_ns: The highest.
    """

    times_ns: NDArray[np.int64]
    prices: NDArray[np.float64]
    sizes: NDArray[np.float64]
    oldest_ns: int
    newest_ns: int

    @classmethod
    def of(cls, frame: TickFrame) -> "TickColumns":
        """Read the columns of a frame.

        Raises:
            OverflowError: An event time has more than 64 bits.
        """
        count = len(frame.tickers)
        times_ns = np.fromiter(frame.times_ns, np.int64, count)
        pack = _doubles(count).pack  # in half the time of an iterator or an `array`
        prices, sizes = np.frombuffer(pack(*frame.prices)), np.frombuffer(pack(*frame.sizes))
        return cls(times_ns, prices, sizes, int(times_ns.min()), int(times_ns.max()))

    def all_sound(self) -> bool:
        """Tell whether all numbers are ones that the stage takes; no number may be NaN."""
        return bool(
            self.oldest_ns >= EARLIEST_NS
            and self.newest_ns < LATEST_NS
            and self.prices.min() >= LOWEST_PRICE
            and self.prices.max() <= HIGHEST_PRICE
            and self.sizes.min() >= 0.0
            and self.sizes.max() <= HIGHEST_SIZE
        )

    def in_order(self, slots: NDArray[np.intp]) -> bool:
        """Tell whether the times of each slot never fall.

        Args:
            slots: One for each tick.
        """
        times_ns = self.times_ns
        if (times_ns[1:] >= times_ns[:-1]).all():
            return True
        order = np.argsort(slots, kind="stable")
        sorted_slots, sorted_ns = slots[order], times_ns[order]
        return bool(((sorted_ns[1:] >= sorted_ns[:-1]) | (sorted_slots[1:] != sorted_slots[:-1])).all())


@lru_cache(maxsize=1_024)
def _doubles(count: int) -> Struct:
    return Struct(f"{count}d")
