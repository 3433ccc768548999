"""What the ONNX forecasters share: scaled targets to log returns, and a quiet session."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import onnxruntime as ort

from predictor.models.base import FloatArray, Forecast, scales


class ServedForecaster:
    """Runs an exported model, which gives scaled targets, (n, horizons), and turns them into log returns and spreads.

    Attributes:
        threads: Of ONNX Runtime, for one call.
    """

    threads: ClassVar[int]

    def __init__(
        self, content: bytes, horizons: Sequence[int], spread_scale: Sequence[float], version: str = "unsaved"
    ) -> None:
        if len(horizons) != len(spread_scale) or not all(map(math.isfinite, spread_scale)):
            raise ValueError(
                f"spread_scale {list(spread_scale)} must give a finite number for each of {list(horizons)}"
            )
        self.version = version
        self._horizons = tuple(horizons)
        self._spread_scale = np.asarray(spread_scale, np.float64)
        self._session = _quiet_session(content, self.threads)
        self._input = self._session.get_inputs()[0].name

    def _run(self, inputs: FloatArray) -> FloatArray:
        (targets,) = self._session.run(None, {self._input: np.ascontiguousarray(inputs, np.float32)})
        return np.asarray(targets)

    def _forecast(self, targets: FloatArray, volatility: FloatArray) -> Forecast:
        if targets.shape != (len(volatility), len(self._horizons)):
            raise ValueError(f"the model gave shape {targets.shape}, not {(len(volatility), len(self._horizons))}")
        unit = scales(volatility, self._horizons)
        return Forecast(log_returns=np.asarray(targets, np.float64) * unit, spreads=self._spread_scale * unit)


def _quiet_session(content: bytes, threads: int) -> ort.InferenceSession:
    """Open an ONNX model whose threads do not spin while they wait (spinning makes p99 explode on few cores)."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
