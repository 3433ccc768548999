"""The search: what it finds before the hold-out is what the training then uses."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import msgspec
import numpy as np
import pytest
from msgspec import structs
from sklearn.ensemble import RandomForestRegressor

from predictor.parameters import ForestParameters, Parameters, XgboostParameters
from predictor.training import pipeline, tasks
from predictor.training import search as searching
from predictor.training.dataset import Dataset
from predictor.training.fitting import Progress
from predictor.training.folds import expanding_folds
from predictor.training.member_fit import training_data
from predictor.training.parameter_file import ParameterFile, Searched, parameters_of, read_parameters, write_parameters
from predictor.training.recipes import recipes
from predictor.training.search import search
from predictor.training.split import hold_out_split
from schemas.errors import StopAndSayError
from tests.predictor_models.examples import random_samples


@pytest.fixture(scope="module")
def samples() -> Dataset:
    """Give samples with something to learn in the first input."""
    made = random_samples(1, 1_200, 3)
    signal = 0.5 * made.batch.model_inputs[:, :1] + np.random.default_rng(2).normal(size=(len(made), 3))
    return replace(made, log_returns=made.units() * signal)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the search choose from little."""
    monkeypatch.setattr(searching, "FOREST_CHOICES", {"min_samples_leaf": (30, 400), "n_estimators": (5,)})
    trees = {"learning_rate": (0.1,), "min_child_weight": (10.0,), "n_estimators": (2, 40)}
    monkeypatch.setattr(searching, "XGBOOST_CHOICES", trees)


@pytest.mark.usefixtures("few")
def test_the_best_candidate_is_the_one_with_the_smallest_error_over_the_folds(samples: Dataset) -> None:
    said: list[str] = []
    found = search(samples, 5, 2, said.append)
    candidates = [ForestParameters(), *(ForestParameters(min_samples_leaf=leaf, n_estimators=5) for leaf in (30, 400))]
    errors = [forest_error(samples, each, 5) for each in candidates]
    its = found.searched["forest"]
    assert its.tried == 3
    assert its.default_error == pytest.approx(errors[0])
    assert its.best_error == pytest.approx(min(errors))
    assert its.best_error < its.no_change_error
    assert found.parameters.forest == candidates[int(np.argmin(errors))]
    assert found.parameters.xgboost == XgboostParameters(learning_rate=0.1, min_child_weight=10.0, rounds=40)
    assert [line.split(":")[0] for line in said] == ["forest", "xgboost"]


def forest_error(samples: Dataset, parameters: ForestParameters, seed: int) -> float:
    """Do it by hand."""
    errors = []
    for fold in expanding_folds(hold_out_split(samples).before):
        model = RandomForestRegressor(**msgspec.structs.asdict(parameters), random_state=seed)
        model.fit(fold.before.batch.model_inputs, fold.before.targets())
        errors.append(np.mean(np.square(model.predict(fold.after.batch.model_inputs) - fold.after.targets())))
    return float(np.mean(errors))


@pytest.mark.usefixtures("few")
def test_the_hold_out_is_not_seen(samples: Dataset) -> None:
    first_ns = hold_out_split(samples).after.as_of_ns.min()
    log_returns = samples.log_returns.copy()
    log_returns[samples.as_of_ns >= first_ns] = 9.0
    known = search(samples, 5, 2, lambda _: None)
    assert search(replace(samples, log_returns=log_returns), 5, 2, lambda _: None) == known
    assert known.through_ns < first_ns


def test_the_defaults_stay_where_nothing_is_better(samples: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "FOREST_CHOICES", {"min_samples_leaf": (2_000,), "n_estimators": (2,)})
    monkeypatch.setattr(searching, "XGBOOST_CHOICES", {"min_child_weight": (90_000.0,), "n_estimators": (1,)})
    assert search(samples, 5, 9, lambda _: None).parameters == Parameters()


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    parameters = Parameters(forest=ForestParameters(max_features=0.5), xgboost=XgboostParameters(rounds=7))
    its = Searched(tried=3, best_error=1.0, default_error=1.1, no_change_error=1.2)
    path = tmp_path / "new" / "parameters.json"
    write_parameters(ParameterFile(parameters=parameters, searched={"forest": its}, seed=7), path)
    assert read_parameters(path) == parameters
    assert [each.name for each in path.parent.iterdir()] == ["parameters.json"]
    assert read_parameters(None) == Parameters()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '{"parameters": {"forest": {"max_features": 1.5}}}',
        '{"parameters": {"forest": {"leaves": 5}}}',
        '{"parameters": {"lstm": {}}}',
    ],
)
def test_a_file_that_says_something_else_is_one_line_that_names_the_setting(tmp_path: Path, content: str) -> None:
    path = tmp_path / "parameters.json"
    path.write_text(content)
    with pytest.raises(StopAndSayError, match="TICKCAST_TRAINING_PARAMETERS") as caught:
        read_parameters(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(StopAndSayError, match=r"missing\.json"):
        read_parameters(tmp_path / "missing.json")


def test_the_training_uses_what_was_found(samples: Dataset) -> None:
    parameters = Parameters(
        forest=ForestParameters(n_estimators=3, min_samples_leaf=20), xgboost=XgboostParameters(rounds=4, max_depth=2)
    )
    known = recipes(parameters)
    forest, trees = (known[name].fit(samples, 1, Progress(1)).refit(samples) for name in ("forest", "xgboost"))
    assert (len(forest.model.estimators_), forest.model.min_samples_leaf) == (3, 20)  # type: ignore[attr-defined]
    assert (trees.rounds, trees.model.max_depth) == (4, 2)  # type: ignore[attr-defined]


def test_a_member_joins_the_ensemble_by_its_weight() -> None:
    known = recipes(parameters_of({"weights": {"xgboost": 1.0}}))
    assert {name: recipe.prior_weight for name, recipe in known.items() if recipe.prior_weight > 0} == pytest.approx(
        {"forest": 0.2, "lstm": 0.3, "xgboost": 0.5}
    )
    defaults = {name: recipe.prior_weight for name, recipe in recipes(Parameters()).items() if recipe.prior_weight}
    assert defaults == {"forest": 0.4, "lstm": 0.6}
    of_an_older_manifest = msgspec.json.decode(b'{"forest":{"n_estimators":3}}', type=Parameters)
    assert of_an_older_manifest == parameters_of({"forest": {"n_estimators": 3}})


@pytest.mark.parametrize(
    ("weights", "problem"),
    [({"forest": 0.0, "lstm": 0.0}, "at least one member"), ({"forrest": 1.0}, "forrest"), ({"lstm": -1.0}, "lstm")],
)
def test_weights_of_nobody_or_of_nothing_are_refused(weights: dict[str, float], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parameters_of({"weights": weights})


def test_parameters_whose_search_has_seen_the_hold_out_are_refused(samples: Dataset) -> None:
    hold_out_ns = int(hold_out_split(samples).after.as_of_ns.min())
    seen = ParameterFile(parameters=Parameters(), through_ns=hold_out_ns)
    tasks._require_unseen_hold_out(seen, samples)
    with pytest.raises(StopAndSayError, match="TICKCAST_TRAINING_PARAMETERS: the search has seen bars through"):
        tasks._require_unseen_hold_out(structs.replace(seen, through_ns=hold_out_ns + 1), samples)


@pytest.mark.parametrize("prior_weight", [0.0, 0.4])
def test_only_a_member_that_is_weighed_stops_the_training_where_it_cannot_be_fitted(
    samples: Dataset, prior_weight: float, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> NoReturn:
        raise ValueError("it is singular")

    monkeypatch.setattr(pipeline, "train_member", fail)
    recipe = replace(recipes(Parameters())["arima"], prior_weight=prior_weight)
    with pytest.raises(ValueError, match="singular") if prior_weight else nullcontext():
        assert pipeline._try_member("arima", recipe, training_data(samples), 1, Progress(1)) is None
    assert bool(caplog.records) == (prior_weight == 0.0)
