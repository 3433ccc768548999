"""Coverage of adapted intervals over a market that turns wild."""

import numpy as np
from numpy.typing import NDArray

from feature_stream.calibration import width_after, width_steps

_SERIES = 24
_TURN = 1_300
_LENGTH = 2_900
_WARM_UP = 300
#: Dates after the turn that are left out: those that see it coming, and those whose volatility is not known yet.
_SETTLING = 60


def _scores(horizon: int) -> NDArray[np.float64]:
    """Give |r| / (sigma_t * sqrt(h)), (series, dates): t-distributed returns, sigma_t of the last 20 bars."""
    rng = np.random.default_rng(11)
    returns = rng.standard_t(5, (_SERIES, _LENGTH + horizon)) / np.sqrt(5 / 3)
    returns[:, _TURN:] *= 3.0
    squares = np.pad(returns**2, ((0, 0), (1, 0))).cumsum(axis=1)
    volatility = np.sqrt((squares[:, 20:] - squares[:, :-20]) / 20)  # at index t: of the bars t to t + 19
    sums = np.pad(returns, ((0, 0), (1, 0))).cumsum(axis=1)
    ahead = sums[:, 20 + horizon :] - sums[:, 20:-horizon]  # at index t: of the bars t + 20 to t + 19 + horizon
    scores: NDArray[np.float64] = np.abs(ahead) / (volatility[:, : ahead.shape[1]] * np.sqrt(horizon))
    return scores


def coverage(horizon: int, share_outside: float, first_quantile: float, memory: int) -> tuple[float, float]:
    """Give the coverage before the turn and after it.

    Args:
        first_quantile: As a share of the right one before the turn.
        memory: Outcomes that a width is made of.
    """
    scores = _scores(horizon)
    quantile = first_quantile * np.quantile(scores[:, : _TURN - 20 - horizon], 1.0 - share_outside)
    misses = np.zeros(scores.shape, np.bool_)
    for series, mine in zip(scores, misses, strict=True):
        for date, score in enumerate(series):
            matured = mine[max(0, date - horizon + 1 - memory) : max(0, date - horizon + 1)]
            mine[date] = score > quantile * width_after(matured, share_outside, width_steps(horizon))
    turn = _TURN - 20
    before, after = misses[:, _WARM_UP : turn - horizon], misses[:, turn + _SETTLING :]
    return 1.0 - float(before.mean()), 1.0 - float(after.mean())
