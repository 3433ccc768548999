"""Splits by date, with a purge: nothing that trains may know what happens later."""

from dataclasses import dataclass

import numpy as np

from predictor.training.dataset import Dataset
from schemas.errors import StopAndSayError

HOLD_OUT_SHARE = 0.15
#: Fewer rows than this on the right of a split give no quantile at 99 %.
MINIMUM_HELD_OUT = 100
MINIMUM_TRAINED = 500
#: Of one ticker; what the first window, the purge and the longest horizon cost is in it.
ENOUGH_BARS = 800


class TooFewSamplesError(StopAndSayError):
    """There is not enough history to fit and to hold out."""


@dataclass(frozen=True)
class Split:
    """Samples before and after a date; every label of `before` has closed by then."""

    before: Dataset
    after: Dataset


def split_by_date(dataset: Dataset, share: float) -> Split:
    """Cut off the last `share` of the as-of dates, and purge the samples whose labels reach into them."""
    dates = np.unique(dataset.as_of_ns)
    if len(dates) == 0:
        return Split(dataset, dataset)
    first_ns = dates[min(int(len(dates) * (1.0 - share)), len(dates) - 1)]
    return Split(
        before=dataset.rows(dataset.label_end_ns < first_ns),
        after=dataset.rows(dataset.as_of_ns >= first_ns),
    )


def hold_out_split(dataset: Dataset) -> Split:
    """Hold out the last 15 % of the dates.

    Raises:
        TooFewSamplesError: One side would be too small; the line says how many samples are needed.
    """
    split = split_by_date(dataset, HOLD_OUT_SHARE)
    if len(split.before) < MINIMUM_TRAINED or len(split.after) < MINIMUM_HELD_OUT:
        raise TooFewSamplesError(
            f"{len(dataset)} samples give {len(split.before)} to fit and {len(split.after)} to hold out, but "
            f"{MINIMUM_TRAINED} and {MINIMUM_HELD_OUT} are needed: give about "
            f"{ENOUGH_BARS} bars or more that end before the start (a sample is a closed bar whose "
            f"indicators are whole and whose next {max(dataset.horizons)} bars have closed), or move the start"
        )
    return split
