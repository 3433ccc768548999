"""The random forest, served through ONNX Runtime."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from predictor.models.base import Batch, Forecast
from predictor.models.served import ScaledForecaster, quiet_session


class ForestForecaster(ScaledForecaster):
    """Predict with an exported `RandomForestRegressor`.

    On one thread: with more, ONNX Runtime adds the trees up in an order that depends on the batch.
    """

    name: ClassVar[str] = "forest"

    def __init__(
        self, content: bytes, horizons: Sequence[int], spread_scale: Sequence[float], version: str = "unsaved"
    ) -> None:
        super().__init__(horizons, spread_scale, version)
        self._session = quiet_session(content, threads=1)
        self._input = self._session.get_inputs()[0].name

    def predict(self, batch: Batch) -> Forecast:
        """Forecast every horizon of every row."""
        inputs = np.ascontiguousarray(batch.model_inputs, np.float32)
        (targets,) = self._session.run(None, {self._input: inputs})
        return self._forecast(targets.reshape(len(batch), len(self._horizons)), batch.volatility)
