"""What the members of a model set share: they give scaled targets, which become log returns and spreads."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from predictor.models.base import Batch, FloatArray, Forecast, scales


class ScaledForecaster(ABC):
    """Predicts log returns over volatility times sqrt(horizon), and gives them back in log return.

    Attributes:
        version: Differs whenever its numbers may.
    """

    name: ClassVar[str]

    def __init__(self, horizons: Sequence[int], spread_scale: Sequence[float], version: str = "unsaved") -> None:
        if len(horizons) != len(spread_scale) or not all(map(math.isfinite, spread_scale)):
            raise ValueError(
                f"spread_scale {list(spread_scale)} must give a finite number for each of {list(horizons)}"
            )
        self.version = version
        self._horizons = tuple(horizons)
        self._spread_scale = np.asarray(spread_scale, np.float64)

    @abstractmethod
    def targets(self, batch: Batch) -> FloatArray:
        """Give scaled targets, (n, horizons)."""

    def predict(self, batch: Batch) -> Forecast:
        """Forecast every horizon of every row."""
        targets = self.targets(batch)
        if targets.shape != (len(batch), len(self._horizons)):
            raise ValueError(f"the model gave shape {targets.shape}, not {(len(batch), len(self._horizons))}")
        unit = scales(batch.volatility, self._horizons)
        return Forecast(log_returns=np.asarray(targets, np.float64) * unit, spreads=self._spread_scale * unit)
