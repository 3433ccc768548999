"""A made-up market as frames, for load: seeded, many tickers, event time at the rate of a busy exchange."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from schemas.events import Origin, TickFrame
from schemas.partitioning import partition_of

_START_NS = 1_600_000_020 * 1_000_000_000
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Market:
    """What is made.

    Attributes:
        ticks: In all.
        frame_ticks: In a frame.
        rate_per_second: Of event time, over all tickers; decides how many ticks a bar has.
    """

    tickers: int
    ticks: int
    frame_ticks: int
    partitions: int = 4
    rate_per_second: float = 10_000.0
    seed: int = 20_261_120

    def frames(self) -> Iterator[tuple[int, TickFrame]]:
        """Yield (partition, frame) in the order of event time; a watermark each second of event time."""
        generator = np.random.default_rng(self.seed)
        homes = self._homes()
        gap_ns = round(_SECOND_NS * self.frame_ticks / self.rate_per_second)
        prices = dict.fromkeys((name for names in homes for name in names), 100.0)
        sent, sequences = 0, [0] * self.partitions
        for number in range(self.ticks // self.frame_ticks):
            partition = number % self.partitions
            time_ns = _START_NS + number * gap_ns
            yield partition, self._frame(generator, homes[partition], prices, time_ns, sequences[partition])
            sequences[partition] += 1
            sent += self.frame_ticks

    def _homes(self) -> list[list[str]]:
        homes: list[list[str]] = [[] for _ in range(self.partitions)]
        for number in range(self.tickers):
            name = f"T{number:05d}"
            homes[partition_of(name, self.partitions)].append(name)
        return homes

    def _frame(
        self, generator: np.random.Generator, names: list[str], prices: dict[str, float], time_ns: int, sequence: int
    ) -> TickFrame:
        chosen = [names[index] for index in generator.integers(len(names), size=self.frame_ticks)]
        moves = (1 + generator.normal(0, 1e-4, self.frame_ticks)).tolist()
        quotes = []
        for name, move in zip(chosen, moves, strict=True):
            prices[name] *= move
            quotes.append(round(prices[name], 4))
        return TickFrame(
            source="market",
            sequence=sequence,
            position=str(sequence),
            tickers=chosen,
            times_ns=[time_ns + index for index in range(self.frame_ticks)],
            prices=quotes,
            sizes=generator.integers(1, 100, self.frame_ticks).astype(float).tolist(),
            ingested_at_ns=time_ns,
            origin=Origin.SIMULATED,
            watermark_ns=time_ns,
        )
