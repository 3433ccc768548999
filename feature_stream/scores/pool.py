"""All tickers at one horizon: sums by date, their scores, and the weights that members have earned."""

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from feature_stream.calibration import WEIGHT_DATES, MemberErrors, adapted_weights
from feature_stream.scores.columns import (
    COLUMNS,
    ENSEMBLE_ROW,
    FIRST_MEMBER_ROW,
    UNCHANGED_ROW,
    FloatArray,
    OfModel,
    from_whole,
    to_whole,
)
from feature_stream.scores.horizons import horizon_score
from feature_stream.scores.priors import Priors
from feature_stream.scores.shadow import shadow_of
from feature_stream.scores.shadow_sums import ShadowSums
from feature_stream.scores.sums import contributions
from feature_stream.scores.window import Window
from schemas.events import HorizonScore, Outcome


class Pool:
    """The newest dates, and the prior weights of the set that serves.

    Attributes:
        places: Of the members' names in rows; a name that came once stays.
        beside: Likewise of the sets that were shown beside those that answered.
    """

    def __init__(self, horizon: int, dates: int) -> None:
        self.horizon = horizon
        self.places: dict[str, int] = {}
        self.beside: dict[str, int] = {}
        self._sums = Window(dates, (FIRST_MEMBER_ROW, COLUMNS), np.int64)
        self._shadows = ShadowSums(horizon, dates)
        self._priors = Priors()

    def know(self, outcomes: Sequence[Outcome]) -> None:
        """Give every member a place, and every set that was shown."""
        for outcome in outcomes:
            for name in outcome.models:
                self.places.setdefault(name, len(self.places))
            if (shown := shadow_of(outcome)) is not None:
                self.beside.setdefault(shown, len(self.beside))

    def add(self, outcomes: Sequence[Outcome], known: FloatArray, members: FloatArray, words: FloatArray) -> None:
        """Add outcomes to the sums of their dates, each once.

        Args:
            known: (outcomes, `Known`).
            members: (outcomes, members, 2).
            words: (outcomes, `Word`).
        """
        self._sums.widen(FIRST_MEMBER_ROW + len(self.places))
        added = to_whole(contributions(known, members))
        for outcome, row in zip(outcomes, added, strict=True):
            there = self._sums.row_of(outcome.matured_ns)
            if there is None:
                self._sums.add(outcome.matured_ns, row)
            else:
                there += row
            self._priors.take(outcome)
        self._shadows.add([outcome.matured_ns for outcome in outcomes], known, words)

    def score(self, dates: int) -> HorizonScore:
        """Score the newest dates, with the weights that follow from them."""
        names = list(self.places)
        sums = from_whole(self._sums.rows[-dates:])
        errors = _member_errors(sums[-WEIGHT_DATES:], names)
        weights = adapted_weights(self._priors.newest(since_ns=int(self._sums.keys[0])), errors)
        shadow = self._shadows.scores(list(self.beside), dates)
        return replace(horizon_score(sums, names, self.horizon), weights=weights, shadow=shadow)

    def losses(self) -> tuple[FloatArray, FloatArray]:
        """Give, of each kept date, the ensemble's mean squared error, and how much more it is than that of no change.

        Returns:
            (dates,) in log return; and in units of the volatility over the horizon, (dates with a volatility,).
        """
        sums = from_whole(self._sums.rows[:, ENSEMBLE_ROW : UNCHANGED_ROW + 1])
        squares = sums[:, 0, OfModel.SQUARE] / sums[:, 0, OfModel.COUNT]
        measured = sums[sums[:, 0, OfModel.SCALED_COUNT] > 0]
        scaled = measured[:, :, OfModel.SCALED_SQUARE] / measured[:, :, OfModel.SCALED_COUNT]
        return squares, scaled[:, 0] - scaled[:, 1]


def _member_errors(sums: FloatArray, names: Sequence[str]) -> dict[str, MemberErrors]:
    errors = {}
    for row, name in enumerate(names, FIRST_MEMBER_ROW):
        counts = sums[:, row, OfModel.SCALED_COUNT]
        count = counts.sum()
        if count > 0:
            squares = sums[:, row, OfModel.SCALED_SQUARE].sum() / count
            unchanged = sums[:, row, OfModel.SCALED_UNCHANGED].sum() / count
            errors[name] = MemberErrors(int((counts > 0).sum()), float(squares), float(unchanged))
    return errors
