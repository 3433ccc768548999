"""A ticker at one horizon: its last outcomes, their scores, and how wide its intervals should be."""

import math

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from feature_stream.calibration import conformal_quantile, width_after, width_steps
from feature_stream.scores.columns import MEMBER_COLUMNS, FloatArray, Known
from feature_stream.scores.horizons import horizon_score, score_alone
from feature_stream.scores.shadow import Word, shadow_contributions
from feature_stream.scores.sums import contributions
from feature_stream.scores.window import Window
from feature_stream.stability import inputs_of
from schemas.events import HorizonScore, ModelScore

_NO_INTERVAL, _INSIDE, _MISS = -1, 0, 1


class Track:
    """The newest outcomes by the start of their last bar: some for the scores, more for the widths."""

    def __init__(self, outcomes: int, width_outcomes: int) -> None:
        self._known = Window(outcomes, (len(Known),), np.float64)
        self._members = Window(outcomes, (0, MEMBER_COLUMNS), np.float64, np.nan)
        self._words = Window(outcomes, (0,), np.float64, np.nan)  # as wide as a word once there is one
        self._misses = Window(width_outcomes, (2,), np.int8)

    def add(self, start_ns: int, known: list[float], members: FloatArray, word: list[float]) -> bool:
        """Take an outcome; False where it is known already, or too old to count."""
        misses = [_miss(known[Known.INSIDE_95]), _miss(known[Known.INSIDE_99])]
        if not self._misses.add(start_ns, misses):
            return False
        self._members.widen(len(members))
        self._known.add(start_ns, known)
        self._members.add(start_ns, members)
        self._add_word(start_ns, word)
        return True

    def inputs(self) -> tuple[NDArray[np.int64], dict[str, FloatArray]]:
        """Give the starts of the outcomes that have a volatility, and what they tell of the inputs."""
        measured = self._known.rows[:, Known.VOLATILITY] > 0
        known = self._known.rows[measured]
        columns = (known[:, column] for column in (Known.ACTUAL, Known.PREDICTED, Known.VOLATILITY))
        return self._known.keys[measured], inputs_of(*columns)

    def _add_word(self, start_ns: int, word: list[float]) -> None:
        self._words.widen(0 if math.isnan(word[Word.SET]) else len(word))
        self._words.add(start_ns, word[: self._words.rows.shape[1]])

    def score(self, names: list[str], beside: list[str], horizon: int) -> HorizonScore:
        """Score the outcomes.

        Args:
            names: Of the members, in their places.
            beside: Of the sets that were shown, in theirs.
            horizon: In bars.
        """
        self._members.widen(len(names))
        known = self._known.rows
        score = horizon_score(contributions(known, self._members.rows), names, horizon)
        errors = _scaled_errors(known)
        return replace(
            score,
            quantile_95=conformal_quantile(errors, 0.05),
            quantile_99=conformal_quantile(errors, 0.01),
            width_95=_width(self._misses.rows[:, 0], 0.05, horizon),
            width_99=_width(self._misses.rows[:, 1], 0.01, horizon),
            shadow=self._shadow(beside, horizon),
        )

    def _shadow(self, beside: list[str], horizon: int) -> dict[str, ModelScore]:
        if self._words.rows.shape[1] == 0:
            return {}
        sets, found = self._words.rows[:, Word.SET], {}
        for name, place in sorted((name, place) for place, name in enumerate(beside)):
            its = sets == place
            if its.any():
                found[name] = score_alone(shadow_contributions(self._known.rows[its], self._words.rows[its]), horizon)
        return found


def _miss(inside: float) -> int:
    return _NO_INTERVAL if inside != inside else _INSIDE if inside else _MISS  # noqa: PLR0124 - not a number


def _width(misses: NDArray[np.int8], share_outside: float, horizon: int) -> float | None:
    judged = misses[misses != _NO_INTERVAL]
    return width_after(judged == _MISS, share_outside, width_steps(horizon)) if len(judged) else None


def _scaled_errors(known: FloatArray) -> FloatArray:
    """Give absolute errors in units of the volatility over the horizon, of the outcomes that have one."""
    measured = known[known[:, Known.VOLATILITY] > 0]
    errors = np.abs(measured[:, Known.ACTUAL] - measured[:, Known.PREDICTED])
    scaled: FloatArray = errors / measured[:, Known.VOLATILITY]
    return scaled
