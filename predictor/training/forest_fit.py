"""Fits and exports the random forest."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from msgspec import structs
from numpy.typing import NDArray
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestRegressor

from predictor.models.base import Batch
from predictor.parameters import ForestParameters
from predictor.training.dataset import Dataset
from predictor.training.fitting import Progress
from predictor.training.importance import MODEL_INPUTS, Input
from schemas.features import MODEL_INPUT_NAMES

_DEFAULTS = ForestParameters()
_OPSET = {"": 18, "ai.onnx.ml": 3}


@dataclass(frozen=True)
class FittedForest:
    """A forest over all horizons at once."""

    name: ClassVar[str] = "forest"
    file: ClassVar[str] = "forest.onnx"
    model: Any
    seed: int
    progress: Progress
    parameters: ForestParameters

    @property
    def inputs(self) -> dict[str, Input]:
        """The model inputs."""
        return MODEL_INPUTS

    def predict_targets(self, batch: Batch) -> NDArray[np.float64]:
        """Give scaled targets, (n, horizons)."""
        targets: NDArray[np.float64] = self.model.predict(batch.model_inputs)
        return targets.reshape(len(batch), -1)

    def refit(self, dataset: Dataset) -> "FittedForest":
        """Fit again from scratch."""
        return fit_forest(dataset, self.seed, self.progress, self.parameters)

    def export(self) -> bytes:
        """Give the content of its ONNX file."""
        inputs = [("model_inputs", FloatTensorType([None, len(MODEL_INPUT_NAMES)]))]
        content: bytes = to_onnx(
            self.model, name="forest", initial_types=inputs, target_opset=_OPSET
        ).SerializeToString()
        return content


def fit_forest(
    dataset: Dataset, seed: int, progress: Progress, parameters: ForestParameters = _DEFAULTS
) -> FittedForest:
    """Fit a forest; the same seed and samples give the same trees on any number of cores."""
    model = new_forest(parameters, seed)
    targets = dataset.targets()
    model.fit(dataset.batch.model_inputs, targets[:, 0] if targets.shape[1] == 1 else targets)
    model.n_jobs = 1  # threads would add the trees up in any order
    progress.step("forest")
    return FittedForest(model, seed, progress, parameters)


def new_forest(parameters: ForestParameters, seed: int) -> RandomForestRegressor:
    """Make an untrained forest that is fitted on all cores."""
    return RandomForestRegressor(**structs.asdict(parameters), random_state=seed, n_jobs=-1)
