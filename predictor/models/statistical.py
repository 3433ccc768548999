"""The forecaster that needs no training: the mean and standard deviation of the last returns."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from predictor.models.base import Batch, Forecast

#: Fewer do not tell how far they scatter.
FEWEST_RETURNS = 10


def normal_confidence(log_return: float, spread: float) -> float:
    """Give the probability that the direction is right under a normal error: Phi(|log_return| / spread).

    Returns:
        At least 0.5; 0.5 where the spread is unknown or both are 0, 1 where only the spread is 0.
    """
    if math.isnan(spread) or log_return == 0.0:
        return 0.5
    if spread == 0.0:
        return 1.0
    return 0.5 * (1.0 + math.erf(abs(log_return) / (spread * math.sqrt(2.0))))


class StatisticalForecaster:
    """Predict mean times h from the n returns that are there, with spread s * sqrt(h * (1 + h / n)).

    s is their standard deviation. The first term is the scatter of the h returns to come. The second is the error of
    the mean, s / sqrt(n), which is made h times; without it a few returns pass for a sure trend. (Hyndman and
    Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, table 5.2, "drift"; their T - 1 is n.)

    With fewer than `FEWEST_RETURNS` it predicts no change, of unknown spread.
    """

    name: ClassVar[str] = "statistical"
    version: ClassVar[str] = "2"

    def __init__(self, horizons: Sequence[int]) -> None:
        self._horizons = np.asarray(horizons, np.float64)

    def predict(self, batch: Batch) -> Forecast:
        """Forecast every horizon of every row."""
        returns = np.asarray(batch.returns, np.float64)
        known = np.isfinite(returns)
        count = known.sum(axis=1)
        enough = count >= FEWEST_RETURNS
        divisor = np.maximum(count, FEWEST_RETURNS)
        mean = np.where(known, returns, 0.0).sum(axis=1) / divisor
        squares = np.where(known, returns - mean[:, None], 0.0) ** 2
        deviation = np.where(enough, np.sqrt(squares.sum(axis=1) / (divisor - 1)), np.nan)
        mean = np.where(enough, mean, 0.0)
        return Forecast(
            log_returns=mean[:, None] * self._horizons,
            spreads=deviation[:, None] * np.sqrt(self._horizons * (1.0 + self._horizons / divisor[:, None])),
        )
