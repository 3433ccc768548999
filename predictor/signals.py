"""Which way a prediction points, and what a follower of it would do."""

import numpy as np
from numpy.typing import NDArray

from predictor.models.base import FloatArray
from schemas.events import Direction, Signal
from schemas.features import VOLATILITY_FLOOR

_DIRECTIONS = np.array([Direction.NEUTRAL, Direction.BULLISH, Direction.BEARISH], np.object_)
_SIGNALS = np.array([Signal.HOLD, Signal.BUY, Signal.SELL], np.object_)


def directions(log_returns: FloatArray, confidences: FloatArray) -> NDArray[np.object_]:
    """Give directions, (n, horizons) like all here; neutral where one is no likelier right than wrong."""
    places = np.where(confidences <= 0.5, 0, np.where(log_returns > 0, 1, 2))
    found: NDArray[np.object_] = _DIRECTIONS[places]
    return found


def signals(
    log_returns: FloatArray, confidences: FloatArray, volatility: FloatArray, share: float
) -> NDArray[np.object_]:
    """Give BUY or SELL where the return passes a share of the horizon's volatility, else HOLD.

    HOLD too where the prediction has no direction, for then it is no likelier right than wrong; and where the
    volatility is not known (NaN), or so small that no return is worth a word.

    Args:
        volatility: Standard deviation of the log return over the horizon.
    """
    told = (confidences > 0.5) & (volatility > VOLATILITY_FLOOR)
    beyond = np.where(told, share * volatility, np.inf)
    found: NDArray[np.object_] = _SIGNALS[np.where(log_returns > beyond, 1, np.where(log_returns < -beyond, 2, 0))]
    return found
