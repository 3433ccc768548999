"""The random forest, served through ONNX Runtime."""

from typing import ClassVar

from predictor.models.base import Batch, Forecast
from predictor.models.served import ServedForecaster


class ForestForecaster(ServedForecaster):
    """Predict with an exported `RandomForestRegressor`.

    On one thread: with more, ONNX Runtime adds the trees up in an order that depends on the batch.
    """

    name: ClassVar[str] = "forest"
    threads: ClassVar[int] = 1

    def predict(self, batch: Batch) -> Forecast:
        """Forecast every horizon of every row."""
        targets = self._run(batch.model_inputs)
        return self._forecast(targets.reshape(len(batch), len(self._horizons)), batch.volatility)
