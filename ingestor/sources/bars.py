"""Bars as columns, the form in which a source gives its past to training."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class BarColumns:
    """Bars of one ticker, oldest first: six arrays of one length.

    Attributes:
        start_ns: Starts of the bars, UTC (a daily bar's is 00:00 of its day).
        open: In the ticker's currency, as are the next three.
        volume: Units traded.
    """

    start_ns: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.start_ns)

    def between(self, start_ns: int | None, end_ns: int | None) -> "BarColumns":
        """Give the bars that start in `[start_ns, end_ns)`; None is open."""
        first = 0 if start_ns is None else int(np.searchsorted(self.start_ns, start_ns))
        last = len(self) if end_ns is None else int(np.searchsorted(self.start_ns, end_ns))
        part = slice(first, max(first, last))
        return BarColumns(
            self.start_ns[part], self.open[part], self.high[part], self.low[part], self.close[part], self.volume[part]
        )
