"""Rows that the same members answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from predictor.ensemble import Ensemble
from predictor.intervals import HalfWidths
from predictor.models.base import FloatArray
from schemas.events import Direction, Features


@dataclass(frozen=True, slots=True)
class Naming:
    """What names and marks the predictions of a group, beside the members.

    Attributes:
        train_end_ns: As of a time up to this, a prediction is in the sample; None: nothing was trained.
        usual_directions: Of each horizon; none of them where they are not known.
    """

    model_set: str
    train_end_ns: int | None
    usual_directions: Sequence[Direction] = ()


class Versions(NamedTuple):
    """Of the weights and the intervals of one row, as in `Prediction`."""

    weights: str
    intervals: str


@dataclass(frozen=True, slots=True)
class Group:
    """Events that the same members were asked about: n rows.

    Attributes:
        volatility: (n, horizons) that of a bar times sqrt(horizon); NaN where it is not known.
        signal_share: Of that volatility, which a return must pass to be a signal.
        stale: Of each row, whether the set that is named is too old for it.
    """

    rows: Sequence[Features]
    ensemble: Ensemble
    half_widths: HalfWidths
    volatility: FloatArray
    degraded: Sequence[str | None]
    versions: Sequence[Versions]
    naming: Naming
    horizons: tuple[int, ...]
    signal_share: float
    stale: Sequence[bool]
