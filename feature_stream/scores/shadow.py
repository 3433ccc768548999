"""The sets that were shown beside those that answered: what is kept of their word, and what it adds to the sums.

An outcome knows one such set at most. Its ensemble is scored as if it had answered: neutral where its confidence is 0.5
or below, and sure of its own direction.
"""

import math
from collections.abc import Mapping
from enum import IntEnum

import numpy as np

from feature_stream.scores.columns import ENSEMBLE_ROW, MEMBER_COLUMNS, FloatArray, Known
from feature_stream.scores.sums import contributions
from schemas.events import ENSEMBLE, Outcome


class Word(IntEnum):
    """Columns of what is kept of a set's word: its place among the sets, its forecast, its confidence in that."""

    SET = 0
    LOG_RETURN = 1
    CONFIDENCE = 2


def shadow_of(outcome: Outcome) -> str | None:
    """Name the set that was shown beside the one that answered; None where its ensemble said nothing."""
    return outcome.shadow_model_set if ENSEMBLE in outcome.shadow else None


def word_of(outcome: Outcome, places: Mapping[str, int]) -> list[float]:
    """Give what is kept of the set's word, in the order of `Word`; NaN where there is none."""
    name = shadow_of(outcome)
    if name is None:
        return [math.nan] * len(Word)
    said = outcome.shadow[ENSEMBLE]
    return [float(places[name]), said.log_return, said.confidence]


def shadow_contributions(known: FloatArray, words: FloatArray) -> FloatArray:
    """Give what the words add to the sums.

    Args:
        known: (n, `Known`) of their outcomes.
        words: (n, `Word`), none of them NaN.

    Returns:
        (n, columns) of `OfModel`.
    """
    said, moved = _directions(words), np.sign(known[:, Known.ACTUAL])
    as_served = known.copy()
    as_served[:, Known.PREDICTED] = words[:, Word.LOG_RETURN]
    as_served[:, Known.CONFIDENCE] = words[:, Word.CONFIDENCE]
    as_served[:, Known.DIRECTION] = said
    as_served[:, Known.HIT] = np.where((said != 0.0) & (moved != 0.0), said == moved, np.nan)
    return contributions(as_served, np.zeros((len(known), 0, MEMBER_COLUMNS)))[:, ENSEMBLE_ROW]


def _directions(words: FloatArray) -> FloatArray:
    found: FloatArray = np.where(words[:, Word.CONFIDENCE] > 0.5, np.sign(words[:, Word.LOG_RETURN]), 0.0)
    return found
