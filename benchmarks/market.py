"""A made-up market as frames, for load: seeded, many tickers, event time at the rate of a busy exchange."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from msgspec import structs

from schemas.events import Origin, TickFrame
from schemas.partitioning import partition_of

_START_NS = 1_600_000_020 * 1_000_000_000
_SECOND_NS = 1_000_000_000
_WARM_UP_BAR_NS = 60 * _SECOND_NS


@dataclass(frozen=True)
class Market:
    """What is made.

    Attributes:
        ticks: In all, after the warm-up.
        frame_ticks: In a frame.
        rate_per_second: Of event time, over all tickers; decides how many ticks a bar has.
        warm_up_bars: Minutes before, in each of which every ticker has one tick: they fill the windows, so that what
            follows is the work of a stage that has run for long.
        watermarks: Whether a partition has one each second of event time.
    """

    tickers: int
    ticks: int
    frame_ticks: int
    partitions: int = 4
    rate_per_second: float = 100_000.0
    seed: int = 20_261_120
    warm_up_bars: int = 0
    watermarks: bool = True

    @property
    def warm_up_ticks(self) -> int:
        """Count the ticks of the warm-up."""
        return self.warm_up_bars * self.tickers

    @property
    def total_ticks(self) -> int:
        """Count all ticks that come out; frames are whole."""
        return self.warm_up_ticks + self.ticks // self.frame_ticks * self.frame_ticks

    def frames(self) -> Iterator[tuple[int, TickFrame]]:
        """Yield (partition, frame) in the order of event time."""
        generator = np.random.default_rng(self.seed)
        homes = self._homes()
        gap_ns = round(_SECOND_NS * self.frame_ticks / self.rate_per_second)
        prices = dict.fromkeys((name for names in homes for name in names), 100.0)
        sequences = [0] * self.partitions
        for partition, names, time_ns in self._warm_up(homes):
            yield partition, self._frame(generator, names, prices, time_ns, sequences[partition])
            sequences[partition] += 1
        for number in range(self.ticks // self.frame_ticks):
            partition = number % self.partitions
            names = homes[partition]
            chosen = [names[index] for index in generator.integers(len(names), size=self.frame_ticks)]
            time_ns = _START_NS + number * gap_ns
            frame = self._frame(generator, chosen, prices, time_ns, sequences[partition])
            yield partition, self._marked(frame, time_ns - gap_ns * self.partitions)
            sequences[partition] += 1

    def _marked(self, frame: TickFrame, before_ns: int) -> TickFrame:
        """Give the first frame of a second the watermark of its own time."""
        time_ns = frame.ingested_at_ns
        if not self.watermarks or time_ns // _SECOND_NS == before_ns // _SECOND_NS:
            return frame
        return structs.replace(frame, watermark_ns=time_ns)

    def _homes(self) -> list[list[str]]:
        homes: list[list[str]] = [[] for _ in range(self.partitions)]
        for number in range(self.tickers):
            name = f"T{number:05d}"
            homes[partition_of(name, self.partitions)].append(name)
        return homes

    def _warm_up(self, homes: list[list[str]]) -> Iterator[tuple[int, list[str], int]]:
        for bars_before in range(self.warm_up_bars, 0, -1):
            for partition, names in enumerate(homes):
                for first in range(0, len(names), self.frame_ticks):
                    time_ns = _START_NS - bars_before * _WARM_UP_BAR_NS
                    yield partition, names[first : first + self.frame_ticks], time_ns

    def _frame(
        self, generator: np.random.Generator, chosen: list[str], prices: dict[str, float], time_ns: int, sequence: int
    ) -> TickFrame:
        count = len(chosen)
        moves = (1 + generator.normal(0, 1e-4, count)).tolist()
        quotes = []
        for name, move in zip(chosen, moves, strict=True):
            prices[name] *= move
            quotes.append(round(prices[name], 4))
        return TickFrame(
            source="market",
            sequence=sequence,
            position=str(sequence),
            tickers=chosen,
            times_ns=[time_ns + index for index in range(count)],
            prices=quotes,
            sizes=generator.integers(1, 100, count).astype(float).tolist(),
            ingested_at_ns=time_ns,
            origin=Origin.SIMULATED,
        )
