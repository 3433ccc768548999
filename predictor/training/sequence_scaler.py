"""How the LSTM's inputs are scaled: by the samples of its fit alone."""

import numpy as np

from predictor.models.base import FloatArray

_SMALLEST_DEVIATION = 1e-6


def sequence_scaler(sequence: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give what each channel is multiplied by, and what is then added: mean 0 and deviation 1 on these samples.

    Args:
        sequence: (n, steps, channels).
    """
    flat = sequence.reshape(-1, sequence.shape[-1]).astype(np.float64)
    scale = 1.0 / np.maximum(flat.std(axis=0), _SMALLEST_DEVIATION)
    return scale, -flat.mean(axis=0) * scale
