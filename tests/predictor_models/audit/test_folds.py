"""Splits whose training labels reach into what is predicted are found."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from predictor.training.audit.folds import check_folds
from predictor.training.audit.world import World
from predictor.training.dataset import Dataset
from predictor.training.member_fit import TrainingData, training_data
from predictor.training.split import Split


def by_date_alone(split: Split, samples: Dataset) -> Split:
    """Take the purge away."""
    return Split(samples.rows(samples.as_of_ns < split.after.as_of_ns.min()), split.after)


def folds_without_purge(samples: Dataset) -> TrainingData:
    data = training_data(samples)
    return replace(data, folds=[by_date_alone(fold, samples) for fold in data.folds])


def folds_without_embargo(samples: Dataset) -> TrainingData:
    data = training_data(samples)
    ends = [samples.label_end_ns < fold.after.as_of_ns.min() for fold in data.folds]
    return replace(data, folds=[Split(samples.rows(e), fold.after) for e, fold in zip(ends, data.folds, strict=True)])


def a_hold_out_without_purge(samples: Dataset) -> TrainingData:
    data = training_data(samples)
    return replace(data, hold_out=by_date_alone(data.hold_out, samples))


def stopping_without_purge(samples: Dataset, share: float) -> Split:
    first_ns = np.quantile(samples.as_of_ns, 1.0 - share)
    return Split(samples.rows(samples.as_of_ns < first_ns), samples.rows(samples.as_of_ns >= first_ns))


def test_the_products_splits_are_purged_and_its_folds_embargoed(world: World) -> None:
    finding = check_folds(world)
    assert finding.passed, finding.problem
    assert finding.compared.startswith("8 splits of ")


@pytest.mark.parametrize(
    ("data_of", "said"),
    [
        (folds_without_purge, "fold 1: a training label ends at "),
        (folds_without_embargo, "fold 1: 0 dates lie between"),
        (a_hold_out_without_purge, "the hold-out: a training label ends at "),
    ],
)
def test_a_split_without_purge_or_embargo_is_caught(
    world: World, data_of: Callable[[Dataset], TrainingData], said: str
) -> None:
    problem = check_folds(world, data_of=data_of).problem
    assert problem is not None
    assert problem.startswith(said)


def test_early_stopping_without_purge_is_caught(world: World) -> None:
    problem = check_folds(world, stopping=stopping_without_purge).problem
    assert problem is not None
    assert problem.startswith("early stopping of fold 1: a training label ends at ")
