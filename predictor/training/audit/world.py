"""What an audit looks at: bars, and what they would be had the future not come, or had it been another."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ingestor.sources.bars import BarColumns
from predictor.training.dataset import Dataset, dataset_from_bars
from schemas.times import Interval, interval_ns

Bars = Mapping[str, BarColumns]

_PRICES = ("open", "high", "low", "close")
#: A bar of another future is so many times what it was.
_LEAST_FACTOR, _LARGEST_FACTOR = 0.5, 2.0
#: Cuts lie between these shares of the dates.
_FIRST_CUT, _LAST_CUT = 0.6, 0.95


@dataclass(frozen=True)
class World:
    """Bars by ticker, and what they are for."""

    bars: Bars
    interval: Interval
    horizons: tuple[int, ...]
    seed: int

    @property
    def length_ns(self) -> int:
        """Give the length of a bar."""
        return interval_ns(self.interval)

    def ends_ns(self) -> NDArray[np.int64]:
        """Give the different ends of the bars, ascending."""
        ends = [columns.start_ns + self.length_ns for columns in self.bars.values()]
        return np.unique(np.concatenate(ends)) if ends else np.empty(0, np.int64)

    def cuts_ns(self, count: int) -> list[int]:
        """Give so many ends of bars, late enough that there is something to train on; the last is near the end."""
        ends = self.ends_ns()
        return [int(ends[int(share * len(ends))]) for share in np.linspace(_FIRST_CUT, _LAST_CUT, count)]

    def until(self, time_ns: int) -> dict[str, BarColumns]:
        """Give the bars that end by a time: what lies after it has never been."""
        return {ticker: self._chosen(columns, time_ns) for ticker, columns in self.bars.items()}

    def _chosen(self, columns: BarColumns, time_ns: int) -> BarColumns:
        ended = columns.start_ns + self.length_ns <= time_ns
        return BarColumns(**{name: values[ended] for name, values in vars(columns).items()})

    def with_another_future(self, time_ns: int) -> dict[str, BarColumns]:
        """Give the bars with others, on the same dates, in place of those that end at a time or later."""
        random = np.random.default_rng(self.seed)
        return {ticker: self._exchanged(columns, time_ns, random) for ticker, columns in self.bars.items()}

    def _exchanged(self, columns: BarColumns, time_ns: int, random: np.random.Generator) -> BarColumns:
        later = columns.start_ns + self.length_ns >= time_ns
        factor = np.where(later, random.uniform(_LEAST_FACTOR, _LARGEST_FACTOR, len(columns)), 1.0)
        return replace(columns, **{name: getattr(columns, name) * factor for name in (*_PRICES, "volume")})

    @cached_property
    def samples(self) -> Dataset:
        """Give the samples of the bars."""
        return self.samples_of(self.bars)

    def samples_of(self, bars: Bars) -> Dataset:
        """Make samples of other bars."""
        return dataset_from_bars(bars, self.interval, self.horizons)
