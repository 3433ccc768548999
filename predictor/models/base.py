"""What every forecaster takes and gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Batch:
    """Features of n tickers (or moments), one row each.

    Attributes:
        model_inputs: (n, inputs) float32, in the order of `schemas.features.MODEL_INPUT_NAMES`.
        sequence: (n, steps, channels) float32, oldest step first.
        returns: (n, RETURNS_COUNT) float64 log returns, newest last; NaN on the left where history is shorter.
        volatility: (n,) float64, standard deviation of a bar's log return; NaN where unknown.
    """

    model_inputs: FloatArray
    sequence: FloatArray
    returns: FloatArray
    volatility: FloatArray

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.volatility)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Forecasts from the last closed bar on, (n, horizons) each.

    Attributes:
        log_returns: Expected log return over each horizon.
        spreads: Scale of the error of each, in log return; NaN where unknown.
    """

    log_returns: FloatArray
    spreads: FloatArray


def scales(volatility: FloatArray, horizons: Sequence[int]) -> FloatArray:
    """Give volatility times sqrt(horizon), (n, horizons): the unit of targets, spreads and interval quantiles."""
    return np.asarray(volatility, np.float64)[:, None] * np.sqrt(np.asarray(horizons, np.float64))


class Forecaster(Protocol):
    """Predict for a whole batch at once; the same row gives the same numbers in any batch."""

    @property
    def name(self) -> str:
        """Short and lower case, like `forest` or `lstm`."""
        ...

    @property
    def version(self) -> str:
        """Differs whenever its numbers may."""
        ...

    def predict(self, batch: Batch) -> Forecast:
        """Forecast every horizon of every row."""
        ...
