"""The seeded replay: a file of ticks, some of them late, of tickers of which some hardly trade."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from schemas.partitioning import partition_of
from schemas.times import NS_PER_SECOND

TICKERS = tuple(f"T{number:02d}" for number in range(60))
#: Event seconds a second of wall time: a bar of a minute closes every two seconds.
SPEED = 30.0
TICKS_PER_SECOND = 2_000
#: Rows go back in time by less than the second that the ingestor allows.
_DISORDER_SECONDS = 0.9
#: 2024-01-02T14:30:00Z
_START_NS = 1_704_205_800 * NS_PER_SECOND


@dataclass(frozen=True)
class Market:
    """Columns of ticks, in the order of the file."""

    tickers: list[str]
    times_ns: list[int]
    prices: list[float]
    sizes: list[float]

    def write(self, path: Path) -> None:
        """Write the file."""
        columns: dict[str, Any] = {
            "ticker": pa.array(self.tickers).dictionary_encode().cast(pa.string()),
            "timestamp": pa.array(self.times_ns, pa.int64()),
            "price": self.prices,
            "size": self.sizes,
        }
        parquet.write_table(pa.table(columns), path, row_group_size=20_000)

    def contents(self, partitions: int) -> dict[int, "TickDigest"]:
        """Give what each partition of `ticks` must hold, by number."""
        homes = {ticker: partition_of(ticker, partitions) for ticker in TICKERS}
        digests = {number: TickDigest() for number in range(partitions)}
        for tick in zip(self.tickers, self.times_ns, self.prices, self.sizes, strict=True):
            digests[homes[tick[0]]].add(*tick)
        return digests


class TickDigest:
    """Stands for ticks in their order; equal where the ticks are."""

    def __init__(self) -> None:
        self.count = 0
        self._hash = hashlib.blake2b(digest_size=16)

    def add(self, ticker: str, time_ns: int, price: float, size: float) -> None:
        """Take the next one."""
        self.count += 1
        self._hash.update(f"{ticker},{time_ns},{price!r},{size!r};".encode())

    def __str__(self) -> str:
        return f"{self.count} ticks, {self._hash.hexdigest()}"


def make_market(seed: int, wall_seconds: float) -> Market:
    """Make up so much that it plays for so long."""
    rng = np.random.default_rng(seed)
    count = int(wall_seconds * TICKS_PER_SECOND)
    weights = rng.pareto(1.0, len(TICKERS)) + 0.02
    chosen = rng.choice(len(TICKERS), size=count, p=weights / weights.sum())
    gap_ns = SPEED * NS_PER_SECOND / TICKS_PER_SECOND
    times_ns = _START_NS + np.cumsum(rng.exponential(gap_ns, count)).astype(np.int64)
    order = np.argsort(times_ns + rng.uniform(0, _DISORDER_SECONDS * NS_PER_SECOND, count), kind="stable")
    prices = np.empty(count)
    for number in range(len(TICKERS)):
        own = chosen == number
        prices[own] = 100 * np.exp(np.cumsum(rng.normal(0, 2e-4, int(own.sum()))))
    sizes = rng.integers(1, 500, count).astype(float)
    return Market(
        [TICKERS[number] for number in chosen[order].tolist()],
        times_ns[order].tolist(),
        prices[order].tolist(),
        sizes[order].tolist(),
    )
