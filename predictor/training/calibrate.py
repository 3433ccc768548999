"""From hold-out errors to spreads, probabilities and intervals."""

import math

import numpy as np
from numpy.typing import NDArray

from predictor.manifest import Calibration, IntervalQuantiles
from predictor.models.base import FloatArray
from predictor.probabilities import logistic

#: Weight of the prior that pulls both numbers of a calibration to 0, in rows; it keeps them finite.
PRIOR_STRENGTH = 1.0
_NEWTON_STEPS = 50


def spread_scales(scaled_errors: FloatArray) -> list[float]:
    """Give the root mean square of each horizon's errors; errors are (n, horizons) over their unit."""
    return [float(value) for value in np.sqrt(np.mean(np.square(scaled_errors), axis=0))]


def fit_logistic(ratios: FloatArray, up: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit P(up) = 1 / (1 + exp(-(intercept + slope * ratio))) by Newton's method, with a weak prior on both."""
    design = np.column_stack([np.ones_like(ratios), ratios])
    weights = np.zeros(2)
    for _ in range(_NEWTON_STEPS):
        probability = logistic(design @ weights)
        gradient = design.T @ (probability - up) + PRIOR_STRENGTH * weights
        curvature = (design * (probability * (1.0 - probability))[:, None]).T @ design + PRIOR_STRENGTH * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-10:
            break
    return float(weights[0]), float(weights[1])


def calibrations(
    horizons: tuple[int, ...], scaled_predictions: FloatArray, scales: list[float], log_returns: FloatArray
) -> list[Calibration]:
    """Calibrate one member on every horizon; days without any move teach no direction."""
    fitted = []
    for column, horizon in enumerate(horizons):
        moved = log_returns[:, column] != 0.0
        ratios = scaled_predictions[moved, column] / scales[column]
        intercept, slope = fit_logistic(ratios, log_returns[moved, column] > 0.0)
        fitted.append(Calibration(horizon=horizon, intercept=intercept, slope=slope))
    return fitted


def conformal_quantile(absolute_errors: FloatArray, coverage: float) -> float:
    """Give the ceil((n + 1) * coverage)-th smallest error, which covers a new one with that probability.

    Raises:
        ValueError: There are too few errors for this coverage.
    """
    rank = math.ceil((len(absolute_errors) + 1) * coverage)
    if rank > len(absolute_errors):
        raise ValueError(f"{len(absolute_errors)} errors are too few for a coverage of {coverage}")
    return float(np.sort(absolute_errors)[rank - 1])


def interval_quantiles(horizons: tuple[int, ...], scaled_errors: FloatArray) -> list[IntervalQuantiles]:
    """Give the ensemble's quantiles; errors are (n, horizons) over their unit."""
    absolute = np.abs(scaled_errors)
    return [
        IntervalQuantiles(
            horizon=horizon,
            quantile_95=conformal_quantile(absolute[:, column], 0.95),
            quantile_99=conformal_quantile(absolute[:, column], 0.99),
        )
        for column, horizon in enumerate(horizons)
    ]
