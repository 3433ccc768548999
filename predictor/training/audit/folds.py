"""Does any training label reach into what is predicted?"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from predictor.training.audit.findings import Finding, first_problem
from predictor.training.audit.world import World
from predictor.training.dataset import Dataset
from predictor.training.member_fit import TrainingData, training_data
from predictor.training.split import Split, split_by_date
from schemas.times import to_rfc3339

NAME = "folds"
#: As much as the models keep back to stop early on.
_STOPPING_SHARE = 0.15

DataOf = Callable[[Dataset], TrainingData]
SplitOf = Callable[[Dataset, float], Split]


def check_folds(world: World, data_of: DataOf = training_data, stopping: SplitOf = split_by_date) -> Finding:
    """Look at every split of the training: the hold-out's, the folds', and those that a fit stops early on.

    The ends of the labels are computed here again from the bars, so that a wrong one is found as well.
    """
    samples = world.samples
    data = data_of(samples)
    dates, embargo = np.unique(samples.as_of_ns), max(world.horizons)

    def problems() -> Iterable[str | None]:
        yield _wrong_ends(world, samples)
        for number, fold in enumerate(data.folds, 1):
            yield _reaches(fold, dates, embargo, f"fold {number}")
            yield _reaches(stopping(fold.before, _STOPPING_SHARE), dates, 0, f"early stopping of fold {number}")
        yield _reaches(data.hold_out, dates, 0, "the hold-out")
        yield _reaches(stopping(data.hold_out.before, _STOPPING_SHARE), dates, 0, "early stopping before the hold-out")

    count = 2 * len(data.folds) + 2
    compared = (
        f"{count} splits of {len(samples)} samples: labels end before what is predicted, folds {embargo} bars before"
    )
    return Finding(NAME, compared, first_problem(problems()))


def _reaches(split: Split, dates: NDArray[np.int64], embargo: int, name: str) -> str | None:
    if not len(split.before) or not len(split.after):
        return None
    last_ns, first_ns = int(split.before.label_end_ns.max()), int(split.after.as_of_ns.min())
    between = int(np.count_nonzero((dates > last_ns) & (dates < first_ns)))
    if last_ns >= first_ns:
        return f"{name}: a training label ends at {to_rfc3339(last_ns)}, predictions begin at {to_rfc3339(first_ns)}"
    if between < embargo:
        return f"{name}: {between} dates lie between the last training label and the first prediction, not {embargo}"
    return None


def _wrong_ends(world: World, samples: Dataset) -> str | None:
    """Compare the ends of the labels with the bars that are so many later."""
    longest = max(world.horizons)
    for ticker, columns in world.bars.items():
        mine = samples.tickers == ticker
        places = np.searchsorted(columns.start_ns + world.length_ns, samples.as_of_ns[mine]) + longest
        ends_ns = columns.start_ns[places] + world.length_ns
        if not np.array_equal(ends_ns, samples.label_end_ns[mine]):
            return f"{ticker}: a label does not end with the bar that is {longest} later"
    return None
