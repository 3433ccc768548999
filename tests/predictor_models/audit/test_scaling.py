"""A scaler, or a fit, that has seen more than its own samples is found."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from predictor.training.audit.scaling import check_scaling, network_problem
from predictor.training.audit.world import World
from predictor.training.dataset import Dataset
from predictor.training.fitting import Progress
from predictor.training.member_fit import TrainingData, train_member, training_data
from predictor.training.recipes import Recipe
from predictor.training.sequence_scaler import sequence_scaler
from predictor.training.split import Split


def a_scaler_fitted_on_all(_samples: Dataset, data: TrainingData) -> tuple[Any, Any]:
    return sequence_scaler(data.samples.batch.sequence)


def a_training_on_all(name: str, recipe: Recipe, data: TrainingData, seed: int, progress: Progress) -> object:
    folds = [Split(data.samples, fold.after) for fold in data.folds]
    careless = replace(data, folds=folds, hold_out=Split(data.samples, data.hold_out.after))
    return train_member(name, recipe, careless, seed, progress)


def test_the_products_fits_scale_by_their_own_samples(world: World) -> None:
    finding = check_scaling(world)
    assert finding.passed, finding.problem
    assert finding.compared.startswith("4 fits: ")


def test_a_scaler_fitted_on_all_is_caught(world: World) -> None:
    problem = check_scaling(world, scaler_of=a_scaler_fitted_on_all).problem
    assert problem is not None
    assert problem.startswith("fit 1 of 4: its scaler hangs on bars from ")


def test_a_fit_on_all_is_caught(world: World) -> None:
    problem = check_scaling(world, train=a_training_on_all).problem
    assert problem is not None
    assert problem.startswith("fit 1 of 4: its features hangs on bars from ")


@pytest.mark.slow
def test_the_network_is_scaled_by_the_samples_of_its_fit_and_one_that_is_not_is_caught(world: World) -> None:
    from predictor.training.lstm_fit import fit_lstm_fold

    data = training_data(world.samples)
    few = data.folds[0].before.rows(slice(0, 256))
    data = replace(data, folds=[Split(few, data.folds[0].after)])
    assert network_problem(data, 3, fit_lstm_fold) is None

    def careless(_samples: Dataset, seed: int, progress: Progress) -> Any:
        return fit_lstm_fold(world.samples.rows(slice(None, None, 4)), seed, progress)

    assert network_problem(data, 3, careless) == "the network scales by something else than its samples"


def test_scaled_inputs_have_mean_0_and_deviation_1(samples: Dataset) -> None:
    scale, offset = sequence_scaler(samples.batch.sequence)
    flat = samples.batch.sequence.reshape(-1, samples.batch.sequence.shape[-1]).astype(np.float64) * scale + offset
    assert flat.mean(axis=0) == pytest.approx(0.0, abs=1e-9)
    assert flat.std(axis=0) == pytest.approx(1.0, abs=1e-9)
