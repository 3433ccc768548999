"""Permutation importance against scikit-learn's."""

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.inspection import permutation_importance as sklearns
from sklearn.linear_model import LinearRegression

from predictor.models.base import Batch
from predictor.training import importance
from predictor.training.dataset import Dataset
from predictor.training.importance import (
    CHANNELS,
    LAGGED_RETURNS,
    MODEL_INPUTS,
    Input,
    permutation_importance,
    shuffled,
)
from schemas.features import MODEL_INPUT_NAMES
from tests.predictor_models.examples import random_batch, random_samples


@pytest.fixture(scope="module")
def samples() -> Dataset:
    """Give samples whose first two inputs say something, the second twice as much."""
    made = random_samples(1, 200, 3)
    inputs = made.batch.model_inputs
    signal = inputs[:, :1] + 2.0 * inputs[:, 1:2]
    noise = np.random.default_rng(2).normal(size=(600, 3))
    return replace(made, log_returns=made.units() * (0.3 * signal + 0.5 * noise))


def test_the_rise_of_the_error_is_scikit_learns(samples: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "_REPEATS", 40)
    outcomes = samples.targets()
    model = LinearRegression().fit(samples.batch.model_inputs, outcomes)
    own = permutation_importance(lambda batch: np.asarray(model.predict(batch.model_inputs)), MODEL_INPUTS, samples, 3)
    oracle = sklearns(
        model, samples.batch.model_inputs, outcomes, scoring="neg_mean_squared_error", n_repeats=40, random_state=4
    )
    error = np.mean(np.square(model.predict(samples.batch.model_inputs) - outcomes))
    assert list(own) == list(MODEL_INPUT_NAMES)
    assert np.allclose(list(own.values()), oracle.importances_mean / error, rtol=0.05, atol=0.005)
    first, second = (own[name] for name in MODEL_INPUT_NAMES[:2])
    assert second > 2.0 * first > 0.2


def test_an_input_that_is_not_read_is_worth_nothing(samples: Dataset) -> None:
    def last_channel(batch: Batch) -> NDArray[np.float32]:
        return np.repeat(batch.sequence[:, -1, -1:], 3, axis=1)

    worth = permutation_importance(last_channel, CHANNELS, samples, 1)
    *unread, read = worth.values()
    assert unread == [0.0] * (len(CHANNELS) - 1)
    assert read != 0.0


def test_the_same_seed_gives_the_same_numbers(samples: Dataset) -> None:
    def first(batch: Batch) -> NDArray[np.float32]:
        return np.repeat(batch.model_inputs[:, :1], 3, axis=1)

    one, alike, other = (permutation_importance(first, MODEL_INPUTS, samples, seed) for seed in (1, 1, 2))
    assert one == alike
    assert one != other


@pytest.mark.parametrize("its", [*MODEL_INPUTS.values(), *CHANNELS.values(), *LAGGED_RETURNS.values()], ids=str)
def test_one_input_comes_from_other_rows_and_all_else_stays(its: Input) -> None:
    batch = random_batch(5, 40)
    before = {field.name: getattr(batch, field.name).copy() for field in fields(Batch)}
    order = np.random.default_rng(6).permutation(40)
    other = shuffled(batch, its, order)
    for name, values in before.items():
        assert np.array_equal(getattr(batch, name), values), "the batch itself is left alone"
        now = getattr(other, name)
        if name == its.array:
            assert np.array_equal(now[..., its.columns], values[order][..., its.columns])
            now[..., its.columns] = values[..., its.columns]
        assert np.array_equal(now, values)


def test_the_lags_are_all_returns_once() -> None:
    counted = np.zeros((1, random_batch(1, 1).returns.shape[1]))
    for its in LAGGED_RETURNS.values():
        counted[..., its.columns] += 1
    assert (counted == 1).all()
