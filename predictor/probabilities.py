"""How likely a return is to be above 0: by a member's calibration, or under a normal error."""

from collections.abc import Callable, Sequence

import numpy as np

from predictor.manifest import Calibration
from predictor.models.base import FloatArray
from predictor.models.statistical import normal_confidence

#: Log returns and spreads, (n, horizons) each, to the probability that the return is above 0.
ProbabilityUp = Callable[[FloatArray, FloatArray], FloatArray]


def logistic(log_odds: FloatArray) -> FloatArray:
    """Give 1 / (1 + exp(-log_odds)); by tanh, which does not overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * log_odds)))


def calibrated(calibration: Sequence[Calibration], horizons: Sequence[int]) -> ProbabilityUp:
    """Calibrate by the logistic function of intercept + slope * return / spread; 0.5 for a horizon without."""
    by_horizon = {each.horizon: (each.intercept, each.slope) for each in calibration}
    pairs = np.array([by_horizon.get(horizon, (0.0, 0.0)) for horizon in horizons])
    intercepts, slopes = pairs[:, 0], pairs[:, 1]

    def probability_up(log_returns: FloatArray, spreads: FloatArray) -> FloatArray:
        return logistic(intercepts + slopes * log_returns / spreads)

    return probability_up


def normal_probability_up(log_returns: FloatArray, spreads: FloatArray) -> FloatArray:
    """Give P(up) under a normal error; 0.5 where the spread is unknown."""
    right = np.array(list(map(normal_confidence, log_returns.ravel().tolist(), spreads.ravel().tolist())))
    right = right.reshape(log_returns.shape)
    return np.where(log_returns >= 0, right, 1.0 - right)
