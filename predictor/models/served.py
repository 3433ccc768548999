"""What the members in ONNX share: a quiet session."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import onnxruntime as ort

from predictor.models.base import FloatArray
from predictor.models.scaled import ScaledForecaster


class ServedForecaster(ScaledForecaster):
    """Runs an exported model, which gives scaled targets, (n, horizons).

    Attributes:
        threads: Of ONNX Runtime, for one call.
    """

    threads: ClassVar[int]

    def __init__(
        self, content: bytes, horizons: Sequence[int], spread_scale: Sequence[float], version: str = "unsaved"
    ) -> None:
        super().__init__(horizons, spread_scale, version)
        self._session = _quiet_session(content, self.threads)
        self._input = self._session.get_inputs()[0].name

    def _run(self, inputs: FloatArray) -> FloatArray:
        (targets,) = self._session.run(None, {self._input: np.ascontiguousarray(inputs, np.float32)})
        return np.asarray(targets)


def _quiet_session(content: bytes, threads: int) -> ort.InferenceSession:
    """Open an ONNX model whose threads do not spin while they wait (spinning makes p99 explode on few cores)."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
