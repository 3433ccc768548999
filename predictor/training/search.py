"""Searches the parameters of the forest and of XGBoost over purged, embargoed folds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import structs
from sklearn.model_selection import GridSearchCV, ParameterSampler

from predictor.parameters import ForestParameters, Parameters, XgboostParameters
from predictor.training.dataset import Dataset
from predictor.training.folds import FoldRows, fold_rows
from predictor.training.forest_fit import new_forest
from predictor.training.parameter_file import ParameterFile, Searched
from predictor.training.split import hold_out_split
from predictor.training.xgboost_fit import UNTESTED_ROUNDS, new_xgboost

#: Tells people one line.
Say = Callable[[str], None]
Candidate = dict[str, Any]

FOREST_CHOICES: dict[str, Sequence[Any]] = {
    "min_samples_leaf": (25, 50, 100, 200, 400),
    "max_features": (0.1, 0.2, 1 / 3, 0.5),
}
XGBOOST_CHOICES: dict[str, Sequence[Any]] = {
    "max_depth": (2, 3, 4),
    "learning_rate": (0.01, 0.03, 0.1),
    "min_child_weight": (50.0, 100.0, 300.0),
    "reg_lambda": (10.0, 100.0, 1_000.0),
    "subsample": (0.5, 0.8),
    "colsample_bytree": (0.2, 1 / 3, 0.6),
    "n_estimators": (10, 30, 100, 300),
}


@dataclass(frozen=True)
class _Samples:
    """What candidates are fitted and judged on."""

    inputs: Any
    targets: Any
    folds: Sequence[FoldRows]


def search(dataset: Dataset, seed: int, trials: int, say: Say) -> ParameterFile:
    """Find better parameters than the defaults, before the hold-out.

    Args:
        trials: Candidates of each model, beside its defaults, which stay where nothing is better.

    Raises:
        TooFewSamplesError: There is not enough history.
    """
    before = hold_out_split(dataset).before
    samples = _Samples(before.batch.model_inputs, before.targets(), fold_rows(before))
    trees = new_forest(ForestParameters(), seed).set_params(n_jobs=1)  # threads add the trees up in any order
    forest, forest_searched = _best(trees, FOREST_CHOICES, {}, samples, seed, trials)
    say(_line("forest", forest, forest_searched))
    default: Candidate = {"n_estimators": UNTESTED_ROUNDS}
    model = new_xgboost(XgboostParameters(), UNTESTED_ROUNDS, seed)
    xgboost, xgboost_searched = _best(model, XGBOOST_CHOICES, default, samples, seed, trials)
    say(_line("xgboost", xgboost, xgboost_searched))
    return ParameterFile(
        parameters=Parameters(forest=_forest_parameters(forest), xgboost=_xgboost_parameters(xgboost)),
        searched={"forest": forest_searched, "xgboost": xgboost_searched},
        through_ns=int(before.label_end_ns.max()),
        samples=len(before),
        seed=seed,
    )


def _best(
    model: Any, choices: Mapping[str, Sequence[Any]], default: Candidate, samples: _Samples, seed: int, trials: int
) -> tuple[Candidate, Searched]:
    """Give the candidate with the smallest error over the folds; the default is the first of them."""
    candidates = [default, *_drawn(choices, seed, trials)]
    folds = [(np.flatnonzero(before), np.flatnonzero(after)) for before, after in samples.folds]
    found = GridSearchCV(
        model,
        [{name: [value] for name, value in each.items()} for each in candidates],
        scoring="neg_mean_squared_error",
        cv=folds,
        refit=False,
        error_score="raise",
    ).fit(samples.inputs, samples.targets)
    errors = -found.cv_results_["mean_test_score"]
    best = int(np.argmin(errors))
    no_change = float(np.mean([np.mean(np.square(samples.targets[after])) for _, after in folds]))
    searched = Searched(
        tried=len(candidates),
        best_error=float(errors[best]),
        default_error=float(errors[0]),
        no_change_error=no_change,
    )
    return candidates[best], searched


def _drawn(choices: Mapping[str, Sequence[Any]], seed: int, trials: int) -> list[Candidate]:
    """Draw so many different candidates, or all where there are no more."""
    all_of_them = int(np.prod([len(each) for each in choices.values()]))
    values = {name: list(each) for name, each in choices.items()}
    return [dict(each) for each in ParameterSampler(values, n_iter=min(trials, all_of_them), random_state=seed)]


def _forest_parameters(candidate: Candidate) -> ForestParameters:
    return structs.replace(ForestParameters(), **candidate)


def _xgboost_parameters(candidate: Candidate) -> XgboostParameters:
    """Give the parameters; where the defaults were best the number of rounds stays to be found."""
    tuned = {name: value for name, value in candidate.items() if name != "n_estimators"}
    rounds = candidate["n_estimators"] if tuned else None
    return structs.replace(XgboostParameters(), **tuned, rounds=rounds)


def _line(name: str, best: Candidate, its: Searched) -> str:
    chosen = ", ".join(f"{key} {value:g}" for key, value in best.items()) or "the defaults"
    ratios = f"{its.best_error / its.no_change_error:.4f}, the defaults' {its.default_error / its.no_change_error:.4f}"
    return f"{name}: {chosen}; of {its.tried} its error is {ratios}, no change = 1"
