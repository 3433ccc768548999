"""How far the price may be from the prediction: half-widths in log return, and price ranges."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from predictor.manifest import IntervalQuantiles
from predictor.models.base import FloatArray, scales
from predictor.scoring_boards import Widths

NORMAL_90 = NormalDist().inv_cdf(0.95)
NORMAL_95 = NormalDist().inv_cdf(0.975)
NORMAL_99 = NormalDist().inv_cdf(0.995)

#: Nothing is taken to move by more than this, a factor of e^20: prices stay finite and above 0.
LARGEST_LOG_RETURN = 20.0


class HalfWidths(NamedTuple):
    """Half-widths of intervals in log return, (n, horizons) each; NaN where no spread is known.

    Attributes:
        at_90: Its lower end is what 95 of 100 returns stay above, as far as they err to both sides alike.
    """

    at_90: FloatArray
    at_95: FloatArray
    at_99: FloatArray


def set_half_widths(
    quantiles: Sequence[IntervalQuantiles],
    volatility: FloatArray,
    horizons: Sequence[int],
    widths: Sequence[Widths | None] = (),
) -> HalfWidths:
    """Scale a set's own quantiles, which are in units of volatility times sqrt(horizon).

    Args:
        volatility: (n,); NaN or 0 gives NaN, as does a horizon without quantiles.
        widths: By what each row's quantiles are multiplied, n of them or none. The one at 90 % goes with that at 95 %.
    """
    by_horizon = {
        each.horizon: (each.quantile_90 or math.nan, each.quantile_95, each.quantile_99) for each in quantiles
    }
    unknown = (math.nan, math.nan, math.nan)
    at_90, at_95, at_99 = np.array([by_horizon.get(horizon, unknown) for horizon in horizons]).T
    unit = scales(volatility, horizons)
    narrow, wide = _multiples(widths, len(horizons))
    return _nested(unit * at_90 * narrow, unit * at_95 * narrow, unit * at_99 * wide)


def _multiples(widths: Sequence[Widths | None], horizons: int) -> tuple[FloatArray, FloatArray]:
    if not any(widths):
        return np.ones(1), np.ones(1)
    unchanged = (1.0,) * (2 * horizons)
    table = np.array([unchanged if each is None else each.multiples for each in widths])
    return table[:, :horizons], table[:, horizons:]


def normal_half_widths(spreads: FloatArray) -> HalfWidths:
    """Give the normal quantiles of a spread, (n, horizons)."""
    return _nested(spreads * NORMAL_90, spreads * NORMAL_95, spreads * NORMAL_99)


def _nested(least: FloatArray, narrow: FloatArray, wide: FloatArray) -> HalfWidths:
    """Make each at least as wide as the one before it; that at 95 % is the measure, and without it nothing is known."""
    known = (narrow > 0) & np.isfinite(narrow) & np.isfinite(wide)
    return HalfWidths(
        _bounded(np.minimum(least, narrow), known & (least > 0)),
        _bounded(narrow, known),
        _bounded(np.maximum(narrow, wide), known),
    )


def _bounded(half_widths: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    return np.where(known, np.minimum(half_widths, LARGEST_LOG_RETURN), np.nan)


def price_bounds(prices: FloatArray, log_returns: FloatArray, half_widths: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give the lowest and highest prices of intervals around log returns from a price; NaN where they are unknown."""
    return prices * np.exp(log_returns - half_widths), prices * np.exp(log_returns + half_widths)


def loss_percent(log_returns: FloatArray, half_widths: FloatArray) -> FloatArray:
    """Give the simple percentage lost at the lower end of an interval, at least 0; NaN where it is unknown."""
    return np.maximum(0.0, -100.0 * np.expm1(log_returns - half_widths))
