"""Expanding folds by date, with purge and embargo: what is predicted there lies after all that the fit has seen."""

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import TimeSeriesSplit

from predictor.training.dataset import Dataset
from predictor.training.split import MINIMUM_HELD_OUT, Split, TooFewSamplesError

FOLDS = 3
_FEWEST_FOLDS = 2
#: Fewer rows to fit on teach nothing.
MINIMUM_FOLD_TRAINED = 50

#: Rows to fit on, and rows to predict.
FoldRows = tuple[NDArray[np.bool_], NDArray[np.bool_]]


def expanding_folds(dataset: Dataset, count: int = FOLDS) -> list[Split]:
    """Split the samples into `count` folds, or into fewer where the dates do not suffice.

    Raises:
        TooFewSamplesError: Not even two folds are possible.
    """
    return [Split(dataset.rows(before), dataset.rows(after)) for before, after in fold_rows(dataset, count)]


def fold_rows(dataset: Dataset, count: int = FOLDS) -> list[FoldRows]:
    """Give the rows of each fold.

    The dates are cut into count + 1 stretches of equal length. Each but the first is predicted by a fit on what lies
    before it, less the embargo (as many dates as the longest horizon has bars) and less the purge (the samples whose
    labels reach into the embargo). Both keep what the last training samples share with the first tested ones out.

    Raises:
        TooFewSamplesError: Not even two folds are possible.
    """
    for folds in range(count, _FEWEST_FOLDS - 1, -1):
        rows = _rows(dataset, folds)
        if rows and all(before.sum() >= MINIMUM_FOLD_TRAINED for before, _ in rows):
            return rows
    raise TooFewSamplesError(
        f"{len(dataset)} samples on {len(np.unique(dataset.as_of_ns))} dates are too few for two folds that are "
        f"{max(dataset.horizons)} bars apart from what they are fitted on: give more bars, or a shorter longest horizon"
    )


def _rows(dataset: Dataset, count: int) -> list[FoldRows]:
    dates, embargo = np.unique(dataset.as_of_ns), max(dataset.horizons)
    if len(dates) // (count + 1) <= embargo:
        return []  # the first stretch would be all embargo
    rows = []
    for _, tested in TimeSeriesSplit(n_splits=count, gap=embargo).split(dates):
        first, last = tested[0], tested[-1]
        before = dataset.label_end_ns < dates[first - embargo]
        rows.append((before, (dataset.as_of_ns >= dates[first]) & (dataset.as_of_ns <= dates[last])))
    return rows if sum(after.sum() for _, after in rows) >= MINIMUM_HELD_OUT else []
