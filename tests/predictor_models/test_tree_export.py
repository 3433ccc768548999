"""XGBoost's trees in ONNX Runtime, against XGBoost itself."""

import json

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from xgboost import XGBRegressor

from predictor.training.tree_export import export_trees

INPUTS = 4


def rows(seed: int, count: int, *, missing: float = 0.0) -> NDArray[np.float32]:
    """Give inputs, many of them alike, so that some lie on a threshold."""
    random = np.random.default_rng(seed)
    values = (random.integers(-6, 7, (count, INPUTS)) / 4).astype(np.float32)
    values[random.random(values.shape) < missing] = np.nan
    return values


def fitted(inputs: NDArray[np.float32], targets: int, seed: int = 0, **options: object) -> XGBRegressor:
    random = np.random.default_rng(seed)
    labels = np.nan_to_num(inputs[:, :1]) * np.arange(1, targets + 1) + random.normal(0, 1, (len(inputs), targets))
    given = {"n_estimators": 20, "max_depth": 3, "n_jobs": 1, "random_state": seed} | options
    return XGBRegressor(**given).fit(inputs, labels)


def exported(model: XGBRegressor, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    content = export_trees(bytes(model.get_booster().save_raw("json")), INPUTS)
    (said,) = ort.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, {"model_inputs": inputs})
    return np.asarray(said)


def greatest_difference(model: XGBRegressor, inputs: NDArray[np.float32]) -> float:
    own = np.asarray(model.predict(inputs)).reshape(len(inputs), -1)
    said = exported(model, inputs)
    assert said.shape == own.shape
    return float(np.abs(said - own).max())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1_000), st.integers(1, 4), st.integers(1, 5), st.sampled_from([0.0, 0.2]))
def test_every_row_gets_xgboosts_own_numbers(seed: int, targets: int, depth: int, missing: float) -> None:
    inputs = rows(seed, 200, missing=missing)
    model = fitted(inputs, targets, seed, max_depth=depth)
    assert greatest_difference(model, inputs) <= 1e-5
    assert greatest_difference(model, rows(seed + 1, 200, missing=missing)) <= 1e-5


def test_a_row_on_a_threshold_goes_the_way_it_does_in_xgboost() -> None:
    inputs = rows(1, 300)
    model = fitted(inputs, 2)
    trees = json.loads(bytes(model.get_booster().save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
    thresholds = {
        np.float32(value)
        for tree in trees
        for value, left in zip(tree["split_conditions"], tree["left_children"], strict=True)
        if left != -1
    }
    on_them = np.repeat(np.array(sorted(thresholds), np.float32)[:, None], INPUTS, axis=1)
    assert greatest_difference(model, on_them) <= 1e-6


@pytest.mark.parametrize("base_score", [None, 0.0, 0.7])
@pytest.mark.parametrize("targets", [1, 3])
def test_what_every_sum_begins_with_is_kept(base_score: float | None, targets: int) -> None:
    inputs = rows(2, 200)
    model = fitted(inputs + 3.0, targets, base_score=base_score)
    assert greatest_difference(model, inputs) <= 1e-5


def test_trees_without_a_single_split_are_exported_too() -> None:
    inputs = rows(3, 50)
    model = fitted(inputs, 3, min_child_weight=1_000.0, base_score=0.0)
    assert len(np.unique(exported(model, inputs), axis=0)) == 1
    assert greatest_difference(model, inputs) <= 1e-6


def test_pruned_branches_are_left_out() -> None:
    inputs = rows(4, 300)
    model = fitted(inputs, 2, gamma=8.0, max_depth=5)
    assert greatest_difference(model, inputs) <= 1e-5


def test_the_same_model_is_the_same_file() -> None:
    inputs = rows(5, 200)
    contents = {export_trees(bytes(fitted(inputs, 3).get_booster().save_raw("json")), INPUTS) for _ in range(2)}
    assert len(contents) == 1
