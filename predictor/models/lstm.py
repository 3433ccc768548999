"""The LSTM, served through ONNX Runtime."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from predictor.models.base import Batch, Forecast
from predictor.models.served import ScaledForecaster, quiet_session

#: Rows a call: larger ones fall out of the cache (500 rows: 5.9 ms in chunks, 8 ms in one).
CHUNK_ROWS = 100


class LstmForecaster(ScaledForecaster):
    """Predict with an exported Keras LSTM over the last bars."""

    name: ClassVar[str] = "lstm"

    def __init__(
        self, content: bytes, horizons: Sequence[int], spread_scale: Sequence[float], version: str = "unsaved"
    ) -> None:
        super().__init__(horizons, spread_scale, version)
        self._session = quiet_session(content, threads=2)
        self._input = self._session.get_inputs()[0].name

    def predict(self, batch: Batch) -> Forecast:
        """Forecast every horizon of every row."""
        sequence = np.ascontiguousarray(batch.sequence, np.float32)
        chunks = [
            self._session.run(None, {self._input: sequence[start : start + CHUNK_ROWS]})[0]
            for start in range(0, len(batch), CHUNK_ROWS)
        ]
        targets = np.concatenate(chunks) if chunks else np.empty((0, len(self._horizons)))
        return self._forecast(targets, batch.volatility)
