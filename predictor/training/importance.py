"""How much worse a member predicts what it has not seen when one of its inputs is shuffled."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from predictor.models.base import Batch, FloatArray
from predictor.training.dataset import Dataset
from schemas.features import MODEL_INPUT_NAMES, SEQUENCE_CHANNELS

_REPEATS = 3


class Input(NamedTuple):
    """A part of the batch that a model reads: one or more columns of its last axis."""

    array: Literal["model_inputs", "sequence", "returns"]
    columns: int | slice


#: What the models of trees, the LSTM and the ARIMA read, by name. A lag of 1 is the newest return.
MODEL_INPUTS = {name: Input("model_inputs", at) for at, name in enumerate(MODEL_INPUT_NAMES)}
CHANNELS = {name: Input("sequence", at) for at, name in enumerate(SEQUENCE_CHANNELS)}
LAGGED_RETURNS = {f"return_lag_{lag}": Input("returns", -lag) for lag in range(1, 6)} | {
    "older_returns": Input("returns", slice(None, -5))
}


def permutation_importance(
    predict_targets: Callable[[Batch], FloatArray], inputs: Mapping[str, Input], held_out: Dataset, seed: int
) -> dict[str, float]:
    """Give by how much the mean squared error of scaled targets rises, as a share of it, when an input is shuffled.

    About 0, or below, means that the model would lose nothing without it. Of two inputs that say the same, neither need
    show. (Breiman 2001, Random Forests, section 10.)

    Args:
        predict_targets: Of a model that has not seen these samples.
    """
    random, outcomes = np.random.default_rng(seed), held_out.targets()

    def error(batch: Batch) -> float:
        return float(np.mean(np.square(predict_targets(batch) - outcomes)))

    whole = error(held_out.batch)
    orders = [random.permutation(len(held_out)) for _ in range(_REPEATS)]
    return {
        name: float(np.mean([error(shuffled(held_out.batch, each, order)) for order in orders])) / whole - 1.0
        for name, each in inputs.items()
    }


def shuffled(batch: Batch, its: Input, order: NDArray[np.intp]) -> Batch:
    """Give a batch whose rows have one input of other rows, and everything else as it was."""
    values = np.array(getattr(batch, its.array))
    values[..., its.columns] = values[order][..., its.columns]
    return replace(batch, **{its.array: values})
