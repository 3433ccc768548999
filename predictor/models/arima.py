"""The pooled ARIMA, served as one linear map from the last returns to all horizons."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import msgspec
import numpy as np
from msgspec import Meta, Struct

from predictor.models.autocovariance import autocovariances, linear_map
from predictor.models.base import Batch, FloatArray
from predictor.models.scaled import ScaledForecaster
from schemas.features import RETURNS_COUNT

Coefficients = Annotated[list[float], Meta(max_length=RETURNS_COUNT)]


class ArimaCoefficients(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds: x_t = sum(ar_i x_(t-i)) + e_t + sum(ma_j e_(t-j)), x a return over volatility less mean."""

    ar: Coefficients
    ma: Coefficients
    mean: float


class ArimaForecaster(ScaledForecaster):
    """Predict the sum of the next returns from those that are there, in units of the row's own volatility.

    Dividing the returns by one volatility and multiplying the forecast by it leaves a linear map of the returns, and
    the mean times the volatility. The map depends on how many returns are known; there is one for each number of them.

    Attributes:
        order: p, d and q; returns are differences already, so d is 0.
    """

    name: ClassVar[str] = "arima"

    def __init__(
        self, content: bytes, horizons: Sequence[int], spread_scale: Sequence[float], version: str = "unsaved"
    ) -> None:
        super().__init__(horizons, spread_scale, version)
        coefficients = msgspec.json.decode(content, type=ArimaCoefficients)
        self.order = (len(coefficients.ar), 0, len(coefficients.ma))
        count = RETURNS_COUNT + max(horizons)
        self._covariances = autocovariances(coefficients.ar, coefficients.ma, count)
        if not np.isfinite(self._covariances).all() or self._covariances[0] <= 0:
            raise ValueError(f"{coefficients} is not stationary")
        self._mean = coefficients.mean
        self._bars = np.asarray(horizons, np.float64)
        self._maps = {RETURNS_COUNT: linear_map(self._covariances, RETURNS_COUNT, horizons)}

    def targets(self, batch: Batch) -> FloatArray:
        """Give scaled targets, (n, horizons); NaN where the volatility is unknown or 0."""
        returns = np.asarray(batch.returns, np.float64)
        volatility = np.asarray(batch.volatility, np.float64)[:, None]
        unit = np.where(volatility > 0, volatility, np.nan)
        known = np.isfinite(returns).sum(axis=1)
        targets = np.empty((len(batch), len(self._horizons)))
        for count in np.unique(known).tolist():
            rows = known == count
            targets[rows] = self._from_last(returns[rows, RETURNS_COUNT - count :] / unit[rows])
        return np.where(np.isnan(unit), np.nan, targets)

    def _from_last(self, values: FloatArray) -> FloatArray:
        """Forecast from returns over volatility, (n, known).

        Row by row and horizon by horizon: a matrix product adds up in an order that depends on the number of rows.
        """
        weights = self._map(values.shape[1])
        deviations = values - self._mean
        sums = np.stack([(deviations * each).sum(axis=1) for each in weights], axis=1)
        return (sums + self._mean * self._bars) / np.sqrt(self._bars)

    def _map(self, known: int) -> FloatArray:
        if known not in self._maps:
            self._maps[known] = linear_map(self._covariances, known, self._horizons)
        return self._maps[known]
