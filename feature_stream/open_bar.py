"""A bar while ticks still come in."""

from msgspec import Struct

from schemas.events import BarSoFar
from schemas.times import bar_start_ns


class OpenBar(Struct, array_like=True):
    """A bar `[start_ns, end_ns)` as it stands.

    Attributes:
        first_ns: Event time of the tick that gives `open`; of several at this time, the first to arrive.
        last_ns: Event time of the tick that gives `close`; of several, the last to arrive.
        offset: Of the last frame that brought it a tick.
        source: Of the last tick, by arrival.
        origin_rank: The highest of all its ticks, as in `schemas.events.ORIGIN_RANK`.
        partial: Ticks were lost while it was open.
    """

    start_ns: int
    end_ns: int
    first_ns: int
    last_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0
    tick_count: int = 0
    offset: int = -1
    source: str = ""
    origin_rank: int = 0
    partial: bool = False

    def add(self, time_ns: int, price: float, size: float) -> None:
        """Take a tick of this bar, in whatever order ticks arrive."""
        if time_ns >= self.last_ns:
            self.last_ns, self.close = time_ns, price
        elif time_ns < self.first_ns:
            self.first_ns, self.open = time_ns, price
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.volume += size
        self.tick_count += 1

    def join(self, offset: int, source: str, origin_rank: int) -> None:
        """Note a frame that brings it ticks."""
        self.offset, self.source = offset, source
        self.origin_rank = max(self.origin_rank, origin_rank)

    def so_far(self) -> BarSoFar:
        """Give it as events carry it."""
        return BarSoFar(
            start_ns=self.start_ns,
            end_ns=self.end_ns,
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
            tick_count=self.tick_count,
        )


def opened_by(time_ns: int, price: float, length_ns: int, *, partial: bool) -> OpenBar:
    """Give the bar that a tick falls in; `add` the tick to it."""
    start_ns = bar_start_ns(time_ns, length_ns)
    return OpenBar(start_ns, start_ns + length_ns, time_ns, time_ns, price, price, price, price, partial=partial)
