"""How far the price may be from the prediction: half-widths in log return, and price ranges."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from predictor.manifest import IntervalQuantiles
from predictor.models.base import FloatArray, scales

NORMAL_95 = NormalDist().inv_cdf(0.975)
NORMAL_99 = NormalDist().inv_cdf(0.995)

#: Nothing is taken to move by more than this, a factor of e^20: prices stay finite and above 0.
LARGEST_LOG_RETURN = 20.0

#: Half-widths at 95 % and 99 %, (n, horizons) each; NaN where no spread is known.
HalfWidths = tuple[FloatArray, FloatArray]


def hold_out_half_widths(
    quantiles: Sequence[IntervalQuantiles], volatility: FloatArray, horizons: Sequence[int]
) -> HalfWidths:
    """Scale a set's hold-out quantiles, which are in units of volatility times sqrt(horizon).

    Args:
        volatility: (n,); NaN or 0 gives NaN, as does a horizon without quantiles.
    """
    by_horizon = {each.horizon: (each.quantile_95, each.quantile_99) for each in quantiles}
    pairs = np.array([by_horizon.get(horizon, (math.nan, math.nan)) for horizon in horizons])
    unit = scales(volatility, horizons)
    return _nested(unit * pairs[:, 0], unit * pairs[:, 1])


def normal_half_widths(spreads: FloatArray) -> HalfWidths:
    """Give the normal quantiles of a spread, (n, horizons)."""
    return _nested(spreads * NORMAL_95, spreads * NORMAL_99)


def _nested(narrow: FloatArray, wide: FloatArray) -> HalfWidths:
    known = (narrow > 0) & np.isfinite(narrow) & np.isfinite(wide)
    wide = np.maximum(narrow, wide)
    return _bounded(narrow, known), _bounded(wide, known)


def _bounded(half_widths: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    return np.where(known, np.minimum(half_widths, LARGEST_LOG_RETURN), np.nan)


def price_bounds(prices: FloatArray, log_returns: FloatArray, half_widths: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give the lowest and highest prices of intervals around log returns from a price; NaN where they are unknown."""
    return prices * np.exp(log_returns - half_widths), prices * np.exp(log_returns + half_widths)
