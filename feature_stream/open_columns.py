"""The newest open bar of each ticker of a partition, as columns of numbers."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from feature_stream.state import NEVER_NS, TickerState

_FIRST_CAPACITY = 64
_NO_END_NS = 2**63 - 1


class Whole(IntEnum):
    """Rows of `OpenColumns.whole`."""

    LAST_NS = 0
    TICK_COUNT = 1
    OFFSET = 2
    INGESTED_AT_NS = 3
    SOURCE = 4
    ORIGIN_RANK = 5
    QUIET_UNTIL_NS = 6
    FIRST_END_NS = 7


class Real(IntEnum):
    """Rows of `OpenColumns.real`."""

    HIGH = 0
    LOW = 1
    CLOSE = 2
    VOLUME = 3


class OpenColumns:
    """A slot for each ticker, in arrays that grow.

    Attributes:
        slots: By ticker.
        names: By slot.
        whole: Shape (8, capacity), rows as in `Whole`; `FIRST_END_NS` is the end of the oldest open bar.
        real: Shape (4, capacity), rows as in `Real`.
        sources: Numbers of the sources' names, as in `Whole.SOURCE`.
    """

    def __init__(self) -> None:
        self.slots: dict[str, int] = {}
        self.names: list[str] = []
        self.whole: NDArray[np.int64] = np.zeros((len(Whole), _FIRST_CAPACITY), np.int64)
        self.real: NDArray[np.float64] = np.zeros((len(Real), _FIRST_CAPACITY))
        self.whole[Whole.FIRST_END_NS] = _NO_END_NS
        self.sources: dict[str, int] = {}
        self._source_names: list[str] = []

    @property
    def capacity(self) -> int:
        """Give the length of the arrays."""
        return len(self.whole[0])

    def slots_of(self, tickers: list[str]) -> NDArray[np.intp] | None:
        """Give the slot of each ticker; None where one has none."""
        try:
            return np.fromiter(map(self.slots.__getitem__, tickers), np.intp, len(tickers))
        except KeyError:
            return None

    def source_number(self, source: str) -> int:
        """Number a source."""
        number = self.sources.get(source)
        if number is None:
            number = self.sources[source] = len(self._source_names)
            self._source_names.append(source)
        return number

    def load(self, state: TickerState) -> None:
        """Take over what a state says."""
        slot = self._slot_for(state.ticker)
        source = self.source_number(state.source)
        if not state.open_bars:
            self.whole[:, slot] = (NEVER_NS, 0, state.offset, state.ingested_at_ns, source, 0, NEVER_NS, _NO_END_NS)
            return
        bar, first_end_ns = state.open_bars[-1], state.open_bars[0].end_ns
        self.whole[:, slot] = (
            bar.last_ns,
            bar.tick_count,
            state.offset,
            state.ingested_at_ns,
            source,
            bar.origin_rank,
            state.quiet_until_ns,
            first_end_ns,
        )
        self.real[:, slot] = (bar.high, bar.low, bar.close, bar.volume)

    def settle(self, state: TickerState, whole: list[int], real: list[float]) -> None:
        """Write a ticker's numbers, as a slot has them, to its state."""
        bar = state.open_bars[-1]
        bar.last_ns, bar.tick_count, bar.offset, state.ingested_at_ns, source, bar.origin_rank = whole[:6]
        bar.high, bar.low, bar.close, bar.volume = real
        state.offset, state.source = bar.offset, self._source_names[source]
        bar.source = state.source

    def _slot_for(self, ticker: str) -> int:
        slot = self.slots.get(ticker)
        if slot is None:
            slot = self.slots[ticker] = len(self.names)
            self.names.append(ticker)
            if slot >= self.capacity:
                self._double()
        return slot

    def _double(self) -> None:
        self.whole = np.concatenate((self.whole, np.zeros_like(self.whole)), axis=1)
        self.real = np.concatenate((self.real, np.zeros_like(self.real)), axis=1)
        self.whole[Whole.FIRST_END_NS, len(self.names) - 1 :] = _NO_END_NS
