"""The columns of what is kept of outcomes, and of what is summed up of them.

A sum of floating-point numbers depends on the order; the board of all tickers must not, as partitions are read in any
order. So it adds up whole numbers of 2**-46 (1.4e-14), far finer than a log return is known.
"""

import math
from collections.abc import Mapping
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from schemas.events import Direction, Outcome

FloatArray = NDArray[np.float64]


class Known(IntEnum):
    """Columns of what is kept of an outcome; NaN where it is null. Of the volatility over the horizon 0 is unknown."""

    ACTUAL = 0
    PREDICTED = 1
    CONFIDENCE = 2
    DIRECTION = 3
    HIT = 4
    USUAL = 5
    VOLATILITY = 6
    HALF_95 = 7
    HALF_99 = 8
    INSIDE_95 = 9
    INSIDE_99 = 10


class OfHorizon(IntEnum):
    """Columns of what is summed up of a horizon; `WIDTHS` count the intervals that are scored."""

    FORECAST_SQUARE = 0
    FORECAST_ACTUAL = 1
    USUAL_TRIALS = 2
    USUAL_HITS = 3
    HITS_BESIDE_USUAL = 4
    KNOWN_95 = 5
    INSIDE_95 = 6
    KNOWN_99 = 7
    INSIDE_99 = 8
    WIDTHS_95 = 9
    SCORE_95 = 10
    WIDTHS_99 = 11
    SCORE_99 = 12


class OfModel(IntEnum):
    """Columns of what is summed up of the ensemble, of no change, and of each member; `SURE` counts confidences."""

    COUNT = 0
    ABSOLUTE = 1
    SQUARE = 2
    PRICE_SHARE = 3
    SCALED_COUNT = 4
    SCALED_SQUARE = 5
    SCALED_UNCHANGED = 6
    TRIALS = 7
    HITS = 8
    SAID_UP = 9
    WAS_UP = 10
    RIGHTLY_UP = 11
    SURE = 12
    CONFIDENCE = 13
    BRIER = 14


#: Rows of what is summed up; the members follow.
HORIZON_ROW, ENSEMBLE_ROW, UNCHANGED_ROW, FIRST_MEMBER_ROW = range(4)
COLUMNS = max(len(OfHorizon), len(OfModel))
#: Columns of what is kept of a member's word: log return and confidence.
MEMBER_COLUMNS = 2

_ONE = float(2**46)
_MOST = 1_000.0
_SIGN = {Direction.BULLISH: 1.0, Direction.BEARISH: -1.0, Direction.NEUTRAL: 0.0}


def known_of(outcome: Outcome) -> list[float]:
    """Give what is kept of an outcome, in the order of `Known`."""
    return [
        outcome.actual_log_return,
        outcome.predicted_log_return,
        outcome.confidence,
        _SIGN[outcome.direction],
        _or_nan(outcome.hit),
        0.0 if outcome.usual_direction is None else _SIGN[outcome.usual_direction],
        outcome.volatility * math.sqrt(outcome.horizon),
        _or_nan(outcome.half_width_95),
        _or_nan(outcome.half_width_99),
        _or_nan(outcome.inside_95),
        _or_nan(outcome.inside_99),
    ]


def members_of(outcome: Outcome, places: Mapping[str, int]) -> FloatArray:
    """Give each member's log return and confidence, (members, 2); NaN where it is not in the outcome."""
    rows = np.full((len(places), MEMBER_COLUMNS), np.nan)
    for name, member in outcome.models.items():
        rows[places[name]] = member.log_return, member.confidence
    return rows


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else float(value)


def to_whole(numbers: FloatArray) -> NDArray[np.int64]:
    """Give whole numbers that add up to the same in any order.

    What is above 1,000 counts as 1,000: so 131 such outcomes of a date, and 131,000 ordinary ones, fit into 64 bits.
    """
    whole: NDArray[np.int64] = np.rint(np.clip(numbers, -_MOST, _MOST) * _ONE).astype(np.int64, order="C")
    return whole


def from_whole(sums: NDArray[np.int64]) -> FloatArray:
    """Give back what whole numbers stand for."""
    return sums / _ONE
