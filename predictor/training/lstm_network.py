"""The LSTM's network, made and traced once for all fits of a training. Importing this imports TensorFlow."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from predictor.models.base import FloatArray
from predictor.training.sequence_scaler import sequence_scaler
from schemas.features import SEQUENCE_CHANNELS, SEQUENCE_STEPS

#: All that a fit has learnt, in Keras's order; the scaler is part of it.
Weights = list[NDArray[np.float32]]

_WEIGHT_DECAY = 1e-3
_SCALER, _FIRST, _SECOND, _OUTPUTS = "scaler", "first", "second", "outputs"


@dataclass(frozen=True)
class Network:
    """A compiled network and its state before any fit: to make and trace another costs seconds a fit."""

    model: Any
    weights: Weights
    optimizer_state: list[Any]

    def reset(self, sequence: FloatArray, seed: int) -> None:
        """Forget every fit, and scale by these samples alone, (n, steps, channels)."""
        keras.utils.set_random_seed(seed)
        self.model.set_weights(self.weights)
        for variable, value in zip(self.model.optimizer.variables, self.optimizer_state, strict=True):
            variable.assign(value)
        scale, offset = sequence_scaler(sequence)
        self.model.get_layer(_SCALER).set_weights([np.diag(scale), offset])

    def scaler(self) -> tuple[FloatArray, FloatArray]:
        """Give what each channel is multiplied by, and what is then added."""
        kernel, offset = self.model.get_layer(_SCALER).get_weights()
        return np.diag(kernel), offset

    def for_export(self) -> Any:
        """Give the same network with its scaler as constants, one for each channel."""
        scale, offset = self.scaler()
        inputs = _inputs()
        scaled = keras.layers.Rescaling(scale.tolist(), offset.tolist())(inputs)
        # With a name: Keras's own count its models, and the file would be another one each time.
        model = keras.Model(inputs, _layers(scaled, self.model.output_shape[-1]), name="lstm")
        for name in (_FIRST, _SECOND, _OUTPUTS):
            model.get_layer(name).set_weights(self.model.get_layer(name).get_weights())
        return model


@lru_cache(maxsize=1)
def network(outputs: int, seed: int) -> Network:
    """Make the network.

    It starts from the forecast of no change (last layer 0) and is pulled towards it: there is little to learn.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    inputs = _inputs()
    # A diagonal matrix, so that the scale can be set anew; it must draw no random number, nor be learnt.
    scaler = keras.layers.Dense(len(SEQUENCE_CHANNELS), kernel_initializer="zeros", trainable=False, name=_SCALER)
    model = keras.Model(inputs, _layers(scaler(inputs), outputs))
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse", metrics=["mse"])
    model.optimizer.build(model.trainable_variables)
    state = [variable.numpy() for variable in model.optimizer.variables]
    return Network(model, model.get_weights(), state)


def _inputs() -> Any:
    return keras.Input((SEQUENCE_STEPS, len(SEQUENCE_CHANNELS)), name="sequence")


def _layers(scaled: Any, outputs: int) -> Any:
    hidden = scaled
    for name, units, whole in ((_FIRST, 64, True), (_SECOND, 32, False)):
        decay = keras.regularizers.L2(_WEIGHT_DECAY)
        layer = keras.layers.LSTM(
            units, return_sequences=whole, kernel_regularizer=decay, recurrent_regularizer=decay, name=name
        )
        hidden = layer(hidden)
    return keras.layers.Dense(outputs, kernel_initializer="zeros", name=_OUTPUTS)(hidden)
