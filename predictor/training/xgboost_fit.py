"""Fits and exports XGBoost."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from msgspec import structs
from numpy.typing import NDArray
from xgboost import XGBRegressor

from predictor.models.base import Batch
from predictor.parameters import XgboostParameters
from predictor.training.dataset import Dataset
from predictor.training.fitting import Progress
from predictor.training.importance import MODEL_INPUTS, Input
from predictor.training.split import split_by_date
from predictor.training.tree_export import export_trees
from schemas.features import MODEL_INPUT_NAMES

MAX_ROUNDS = 300
PATIENCE_ROUNDS = 30
STOPPING_SHARE = 0.15
#: Where too little history is left to stop early on.
UNTESTED_ROUNDS = 30
_FEWEST_ROWS = 256
_DEFAULTS = XgboostParameters()


@dataclass(frozen=True)
class FittedXgboost:
    """Trees for all horizons, one a horizon and round, and the number of rounds that was best."""

    name: ClassVar[str] = "xgboost"
    file: ClassVar[str] = "xgboost.onnx"
    model: Any
    rounds: int
    seed: int
    progress: Progress
    parameters: XgboostParameters

    @property
    def inputs(self) -> dict[str, Input]:
        """The model inputs."""
        return MODEL_INPUTS

    def predict_targets(self, batch: Batch) -> NDArray[np.float64]:
        """Give scaled targets, (n, horizons)."""
        targets: NDArray[np.float64] = np.asarray(self.model.predict(batch.model_inputs), np.float64)
        return targets.reshape(len(batch), -1)

    def refit(self, dataset: Dataset) -> "FittedXgboost":
        """Fit again from scratch on everything, for as many rounds as were best."""
        return _fit_rounds(dataset, self.rounds, self.seed, self.progress, self.parameters)

    def export(self) -> bytes:
        """Give the content of its ONNX file."""
        return export_trees(bytes(self.model.get_booster().save_raw("json")), len(MODEL_INPUT_NAMES))


def fit_xgboost(
    dataset: Dataset, seed: int, progress: Progress, parameters: XgboostParameters = _DEFAULTS
) -> FittedXgboost:
    """Find the number of rounds on the last dates of the samples, and fit so many on all of them."""
    rounds = _best_rounds(dataset, seed, parameters) if parameters.rounds is None else parameters.rounds
    return _fit_rounds(dataset, rounds, seed, progress, parameters)


def _best_rounds(dataset: Dataset, seed: int, parameters: XgboostParameters) -> int:
    split = split_by_date(dataset, STOPPING_SHARE)
    if len(split.before) < _FEWEST_ROWS or len(split.after) == 0:
        return UNTESTED_ROUNDS
    model = new_xgboost(parameters, MAX_ROUNDS, seed, early_stopping_rounds=PATIENCE_ROUNDS)
    held_out = (split.after.batch.model_inputs, split.after.targets())
    model.fit(split.before.batch.model_inputs, split.before.targets(), eval_set=[held_out], verbose=False)
    return int(model.best_iteration) + 1


def _fit_rounds(
    dataset: Dataset, rounds: int, seed: int, progress: Progress, parameters: XgboostParameters
) -> FittedXgboost:
    model = new_xgboost(parameters, rounds, seed)
    model.fit(dataset.batch.model_inputs, dataset.targets())
    progress.step("xgboost")
    return FittedXgboost(model, rounds, seed, progress, parameters)


def new_xgboost(parameters: XgboostParameters, rounds: int, seed: int, **options: Any) -> XGBRegressor:
    """Make an untrained model; it starts from the forecast of no change, and one thread makes it the same each time."""
    tuned = structs.asdict(parameters)
    del tuned["rounds"]
    always = {"base_score": 0.0, "tree_method": "hist", "n_jobs": 1}
    return XGBRegressor(**tuned, **always, n_estimators=rounds, random_state=seed, **options)
