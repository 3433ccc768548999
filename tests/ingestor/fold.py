"""An oracle: ticks folded to bars the plain way, and frames read back as a consumer would."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from ingestor.frames import NumberedFrame
from ingestor.sources.moments import Moment


@dataclass
class FoldedBar:
    """What a reader of ticks makes of one bar."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    tick_count: int = 1

    def add(self, price: float, size: float) -> None:
        self.high, self.low, self.close = max(self.high, price), min(self.low, price), price
        self.volume += size
        self.tick_count += 1


BarsByTicker = dict[str, dict[int, FoldedBar]]


def fold(ticks: Iterable[tuple[str, int, float, float]], length_ns: int) -> BarsByTicker:
    """Fold (ticker, time, price, size) in arrival order."""
    bars: BarsByTicker = defaultdict(dict)
    for ticker, time_ns, price, size in ticks:
        start_ns = time_ns - time_ns % length_ns
        if start_ns in bars[ticker]:
            bars[ticker][start_ns].add(price, size)
        else:
            bars[ticker][start_ns] = FoldedBar(price, price, price, price, size)
    return bars


def ticks_of(moments: Iterable[Moment]) -> list[tuple[str, int, float, float]]:
    return [
        row
        for moment in moments
        for row in zip(moment.tickers, moment.times_ns, moment.prices, moment.sizes, strict=True)
    ]


def ticks_of_frames(frames: Iterable[NumberedFrame]) -> list[tuple[str, int, float, float]]:
    return [
        row for _, frame in frames for row in zip(frame.tickers, frame.times_ns, frame.prices, frame.sizes, strict=True)
    ]


def collect(moments: AsyncIterator[Moment], limit: int | None = None) -> list[Moment]:
    """Run a source to its end, or to so many moments."""

    async def gather() -> list[Moment]:
        gathered: list[Moment] = []
        async for moment in moments:
            gathered.append(moment)
            if len(gathered) == limit:
                break
        return gathered

    return asyncio.run(gather())
