"""The random forest and XGBoost, served through ONNX Runtime."""

from typing import ClassVar

from predictor.models.base import Batch, FloatArray
from predictor.models.served import ServedForecaster


class TreesForecaster(ServedForecaster):
    """Predict with exported trees.

    On one thread: with more, ONNX Runtime adds the trees up in an order that depends on the batch.
    """

    threads: ClassVar[int] = 1

    def targets(self, batch: Batch) -> FloatArray:
        """Give scaled targets, (n, horizons)."""
        return self._run(batch.model_inputs).reshape(len(batch), len(self._horizons))


class ForestForecaster(TreesForecaster):
    """Predict with an exported `RandomForestRegressor`."""

    name: ClassVar[str] = "forest"


class XgboostForecaster(TreesForecaster):
    """Predict with an exported `XGBRegressor`."""

    name: ClassVar[str] = "xgboost"
