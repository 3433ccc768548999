"""From out-of-fold predictions to spreads, probabilities, slopes and intervals."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from predictor.manifest import Calibration, IntervalQuantiles
from predictor.models.base import FloatArray
from predictor.probabilities import logistic

#: Weight of the prior that pulls both numbers of a calibration to 0, in independent rows: it keeps them finite, and
#: a forecast from being taken for more than it claims (under a normal error the slope of a right one is about 1.6).
PRIOR_STRENGTH = 1.0
_NEWTON_STEPS = 50


def spread_scales(scaled_errors: FloatArray) -> list[float]:
    """Give the root mean square of each horizon's errors; errors are (n, horizons) over their unit."""
    return [float(value) for value in np.sqrt(np.mean(np.square(scaled_errors), axis=0))]


def row_weights(as_of_ns: NDArray[np.int64]) -> FloatArray:
    """Give 1 over the number of rows of each row's date: they share their shocks, so that a date counts once."""
    _, place, count = np.unique(as_of_ns, return_inverse=True, return_counts=True)
    weights: FloatArray = 1.0 / count[place]
    return weights


def fit_logistic(ratios: FloatArray, up: NDArray[np.bool_], weights: FloatArray) -> tuple[float, float]:
    """Fit P(up) = 1 / (1 + exp(-(intercept + slope * ratio))) by Newton's method, with a weak prior on both."""
    design = np.column_stack([np.ones_like(ratios), ratios])
    numbers = np.zeros(2)
    for _ in range(_NEWTON_STEPS):
        probability = logistic(design @ numbers)
        gradient = design.T @ (weights * (probability - up)) + PRIOR_STRENGTH * numbers
        information = (design * (weights * probability * (1.0 - probability))[:, None]).T @ design
        step = np.linalg.solve(information + PRIOR_STRENGTH * np.eye(2), gradient)
        numbers -= step
        if np.abs(step).max() < 1e-10:
            break
    return float(numbers[0]), float(numbers[1])


def calibrations(
    horizons: Sequence[int],
    scaled_predictions: FloatArray,
    spread_scale: Sequence[float],
    log_returns: FloatArray,
    weights: FloatArray,
) -> list[Calibration]:
    """Calibrate one member on every horizon; days without any move teach no direction.

    Args:
        weights: (n,), how many independent rows each is for one bar; over h bars one in h is, since they overlap.
    """
    fitted = []
    for column, horizon in enumerate(horizons):
        moved = log_returns[:, column] != 0.0
        ratios = scaled_predictions[moved, column] / spread_scale[column]
        up = log_returns[moved, column] > 0.0
        intercept, slope = fit_logistic(ratios, up, weights[moved] / horizon)
        fitted.append(Calibration(horizon=horizon, intercept=intercept, slope=slope))
    return fitted


def forecast_slopes(scaled_forecasts: FloatArray, scaled_outcomes: FloatArray) -> list[float]:
    """Give each horizon's slope of what happened on what was forecast, through the origin, from 0 to 1.

    A forecast times its slope has the smallest mean squared error; 0 says that no change would have been better.
    """
    products = (scaled_forecasts * scaled_outcomes).sum(axis=0)
    squares = np.square(scaled_forecasts).sum(axis=0)
    slopes = np.divide(products, squares, out=np.zeros_like(products), where=squares > 0)
    return [float(value) for value in np.clip(slopes, 0.0, 1.0)]


def conformal_quantile(absolute_errors: FloatArray, coverage: float) -> float:
    """Give the ceil((n + 1) * coverage)-th smallest error, which covers a new one with that probability.

    Raises:
        ValueError: There are too few errors for this coverage.
    """
    rank = math.ceil((len(absolute_errors) + 1) * coverage)
    if rank > len(absolute_errors):
        raise ValueError(f"{len(absolute_errors)} errors are too few for a coverage of {coverage}")
    return float(np.sort(absolute_errors)[rank - 1])


def interval_quantiles(horizons: Sequence[int], scaled_errors: FloatArray) -> list[IntervalQuantiles]:
    """Give the ensemble's quantiles; errors are (n, horizons) over their unit."""
    absolute = np.abs(scaled_errors)
    return [
        IntervalQuantiles(
            horizon=horizon,
            quantile_90=conformal_quantile(absolute[:, column], 0.90),
            quantile_95=conformal_quantile(absolute[:, column], 0.95),
            quantile_99=conformal_quantile(absolute[:, column], 0.99),
        )
        for column, horizon in enumerate(horizons)
    ]
