"""Prices as they would have been, had returns been larger from a day on."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ingestor.sources.bars import BarColumns

FloatArray = NDArray[np.float64]


def returns_times(bars: Mapping[str, BarColumns], factor: float, from_ns: int) -> dict[str, BarColumns]:
    """Multiply all log returns of the bars that start at a time or later, those within a bar too."""
    return {ticker: _columns_times(columns, factor, from_ns) for ticker, columns in bars.items()}


def _columns_times(columns: BarColumns, factor: float, from_ns: int) -> BarColumns:
    at = int(np.searchsorted(columns.start_ns, from_ns))
    if at == 0 or at == len(columns):  # nothing before it to be large beside, or nothing left
        return columns
    before = np.log(columns.close[at - 1 : -1])
    closes = np.log(columns.close[at - 1]) + np.cumsum(factor * (np.log(columns.close[at:]) - before))
    new_before = np.concatenate([[np.log(columns.close[at - 1])], closes[:-1]])

    def moved(prices: FloatArray) -> FloatArray:
        later = np.exp(new_before + factor * (np.log(prices[at:]) - before))
        return np.concatenate([prices[:at], later])

    return BarColumns(
        columns.start_ns,
        moved(columns.open),
        moved(columns.high),
        moved(columns.low),
        moved(columns.close),
        columns.volume,
    )
