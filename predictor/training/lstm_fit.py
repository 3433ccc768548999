"""Fits and exports the LSTM. Importing this imports TensorFlow."""

import logging
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray

from predictor.models.base import Batch, FloatArray
from predictor.training.canonical import canonical_bytes
from predictor.training.dataset import Dataset
from predictor.training.fitting import Progress
from predictor.training.importance import CHANNELS, Input
from predictor.training.lstm_network import Network, Weights, network
from predictor.training.split import split_by_date
from schemas.features import SEQUENCE_CHANNELS, SEQUENCE_STEPS

logging.getLogger("tf2onnx").setLevel(logging.WARNING)  # it counts folded constants otherwise

MAX_EPOCHS = 10
PATIENCE = 2
STOPPING_SHARE = 0.15
#: Where too little history is left to stop early on.
UNTESTED_EPOCHS = 3
#: Of a fit for out-of-fold predictions: about what early stopping finds, without the fits that find it.
FOLD_EPOCHS = 3
_BATCH_ROWS = 256
_PREDICT_ROWS = 1_024
_OPSET = 17


@dataclass(frozen=True)
class FittedLstm:
    """An LSTM over all horizons at once, and the number of epochs that was best."""

    name: ClassVar[str] = "lstm"
    file: ClassVar[str] = "lstm.onnx"
    weights: Weights
    horizons: tuple[int, ...]
    epochs: int
    seed: int
    progress: Progress

    @property
    def inputs(self) -> dict[str, Input]:
        """The channels of the sequence."""
        return CHANNELS

    def predict_targets(self, batch: Batch) -> NDArray[np.float64]:
        """Give scaled targets, (n, horizons)."""
        model = self._network().model
        return np.asarray(model.predict(batch.sequence, batch_size=_PREDICT_ROWS, verbose=0), np.float64)

    def scaler(self) -> tuple[FloatArray, FloatArray]:
        """Give what each channel is multiplied by, and what is then added."""
        return self._network().scaler()

    def refit(self, dataset: Dataset) -> "FittedLstm":
        """Fit again from scratch on everything, for as many epochs as were best."""
        return _fit_epochs(dataset, self.epochs, self.seed, self.progress)

    def export(self) -> bytes:
        """Give the content of its ONNX file."""
        model = self._network().for_export()
        signature = [tf.TensorSpec((None, SEQUENCE_STEPS, len(SEQUENCE_CHANNELS)), tf.float32, name="sequence")]
        serve = tf.function(lambda sequence: model(sequence, training=False), input_signature=signature)
        exported, _ = tf2onnx.convert.from_function(serve, input_signature=signature, opset=_OPSET)
        return canonical_bytes(exported)

    def _network(self) -> Network:
        """Give the network, which all fits share, with what this one has learnt."""
        shared = network(len(self.horizons), self.seed)
        shared.model.set_weights(self.weights)
        return shared


def fit_lstm(dataset: Dataset, seed: int, progress: Progress) -> FittedLstm:
    """Fit an LSTM 64-32, stopping early on the last dates of the samples."""
    split = split_by_date(dataset, STOPPING_SHARE)
    if len(split.before) < _BATCH_ROWS or len(split.after) == 0:
        return _fit_epochs(dataset, UNTESTED_EPOCHS, seed, progress)
    model = _fresh(split.before, seed)
    stopping = keras.callbacks.EarlyStopping(monitor="val_mse", patience=PATIENCE, restore_best_weights=True)
    held_out = (split.after.batch.sequence, split.after.targets())
    history = _fit(model, split.before, MAX_EPOCHS, progress, [stopping], validation_data=held_out)
    losses = history.history["val_mse"]
    progress.expect_fewer(MAX_EPOCHS - len(losses))
    return FittedLstm(model.get_weights(), dataset.horizons, int(np.argmin(losses)) + 1, seed, progress)


def fit_lstm_fold(dataset: Dataset, seed: int, progress: Progress) -> FittedLstm:
    """Fit an LSTM for out-of-fold predictions: a fixed, small number of epochs."""
    return _fit_epochs(dataset, FOLD_EPOCHS, seed, progress)


def _fit_epochs(dataset: Dataset, epochs: int, seed: int, progress: Progress) -> FittedLstm:
    model = _fresh(dataset, seed)
    _fit(model, dataset, epochs, progress, [])
    progress.expect_fewer(MAX_EPOCHS - epochs)
    return FittedLstm(model.get_weights(), dataset.horizons, epochs, seed, progress)


def _fresh(dataset: Dataset, seed: int) -> Any:
    """Give the network as before any fit; its scaler knows only these samples."""
    shared = network(len(dataset.horizons), seed)
    shared.reset(dataset.batch.sequence, seed)
    return shared.model


def _fit(
    model: Any, dataset: Dataset, epochs: int, progress: Progress, callbacks: list[Any], **options: Any
) -> keras.callbacks.History:
    count = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: progress.step("lstm"))
    return model.fit(
        dataset.batch.sequence,
        dataset.targets(),
        batch_size=_BATCH_ROWS,
        epochs=epochs,
        verbose=0,
        callbacks=[*callbacks, count],
        **options,
    )
