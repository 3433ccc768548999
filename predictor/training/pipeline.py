"""Fits the models, calibrates them out of fold, scores them on the hold-out, and makes the set."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from importlib.metadata import version

import numpy as np

from predictor.manifest import Manifest, ManifestMember, TrainingOptions, named
from predictor.models.base import FloatArray
from predictor.training.calibrate import calibrations, forecast_slopes, interval_quantiles, row_weights, spread_scales
from predictor.training.dataset import Dataset
from predictor.training.fitting import Progress
from predictor.training.lstm_fit import MAX_EPOCHS
from predictor.training.member_fit import TrainedMember, TrainingData, train_member, training_data
from predictor.training.recipes import Recipe, recipes
from predictor.training.scoring import baselines, score, usual_directions
from predictor.training.tell import Tell
from predictor.training.trained_set import TrainedSet
from schemas.times import Interval

_log = logging.getLogger(__name__)
_LIBRARIES = (
    "keras",
    "numpy",
    "onnx",
    "onnxruntime",
    "scikit-learn",
    "skl2onnx",
    "statsmodels",
    "tensorflow",
    "tf2onnx",
    "xgboost-cpu",
)


def train(
    dataset: Dataset,
    interval: Interval,
    options: TrainingOptions,
    now_ns: int,
    *,
    weighed_only: bool = False,
    tell: Tell | None = None,
    chosen: Mapping[str, Recipe] | None = None,
) -> TrainedSet:
    """Train a model set.

    Args:
        dataset: Samples; `train_end_ns` is the end of the last bar that a label of theirs needs.
        interval: Of their bars.
        options: What was asked.
        now_ns: When the set is made.
        weighed_only: Leave the members out that have no prior weight: what the others say does not hang on them.
        tell: Told how far it is.
        chosen: Recipes of its members; None: all that there are, with the parameters of the options.

    Raises:
        TooFewSamplesError: There is not enough history.
        ExportDiffersError: An exported model is not the fitted one.
    """
    data = training_data(dataset)
    every = recipes(options.parameters) if chosen is None else chosen
    known = {name: recipe for name, recipe in every.items() if recipe.prior_weight > 0 or not weighed_only}
    progress = Progress(_steps(data, len(known)), tell)
    try:
        tried = [_try_member(name, recipe, data, options.seed, progress) for name, recipe in known.items()]
        members = [member for member in tried if member is not None]
    finally:
        progress.close()
    manifest = named(_manifest(data, interval, members, options, now_ns))
    return TrainedSet(manifest, {member.file: member.content for member in members})


def _try_member(name: str, recipe: Recipe, data: TrainingData, seed: int, progress: Progress) -> TrainedMember | None:
    """Train a member; one that is only shown, and cannot be fitted, is left out: the others are waited for."""
    try:
        return train_member(name, recipe, data, seed, progress)
    except Exception as error:  # whatever its library raises
        if recipe.prior_weight > 0:
            raise
        _log.warning("%s is left out of the set: %s: %s", name, type(error).__name__, error)
        return None


def _steps(data: TrainingData, members: int) -> int:
    """Count the steps: epochs of the LSTM, fits of the others that take time, and exports."""
    return (2 + len(data.folds)) * (MAX_EPOCHS + 3) + members


def _manifest(
    data: TrainingData, interval: Interval, members: Sequence[TrainedMember], options: TrainingOptions, now_ns: int
) -> Manifest:
    """Say of the set what is known: what is calibrated comes from the folds, what is scored from the hold-out."""
    samples, held_out, unseen = data.samples, data.hold_out.after, data.out_of_fold
    forecasts = _weighted([member.out_of_fold for member in members], members)
    slopes = forecast_slopes(forecasts, unseen.targets().astype(np.float64))
    ensemble = np.array(slopes) * _weighted([member.held_out for member in members], members)
    return Manifest(
        model_set="",
        interval=interval,
        horizons=list(samples.horizons),
        train_start_ns=int(samples.as_of_ns.min()),
        train_end_ns=int(samples.label_end_ns.max()),
        hold_out_start_ns=int(held_out.as_of_ns.min()),
        hold_out_dates=len(np.unique(held_out.as_of_ns)),
        created_at_ns=now_ns,
        tickers=sorted(map(str, np.unique(samples.tickers))),
        samples=len(samples),
        members=[_manifest_member(member, unseen, held_out) for member in members],
        interval_quantiles=interval_quantiles(samples.horizons, _scaled_errors(np.array(slopes) * forecasts, unseen)),
        hold_out=score(samples.horizons, ensemble * held_out.units(), held_out.log_returns),
        baselines=baselines(data.hold_out.before, held_out),
        library_versions={name: version(name) for name in _LIBRARIES},
        options=options,
        slopes=slopes,
        usual_directions=usual_directions(samples),
        out_of_fold_start_ns=int(unseen.as_of_ns.min()),
        out_of_fold_samples=len(unseen),
    )


def _weighted(targets: Sequence[FloatArray], members: Sequence[TrainedMember]) -> FloatArray:
    """Give the ensemble's scaled targets under the prior weights."""
    parts = [member.prior_weight * each for member, each in zip(members, targets, strict=True)]
    total: FloatArray = np.sum(parts, axis=0)
    return total


def _manifest_member(member: TrainedMember, unseen: Dataset, held_out: Dataset) -> ManifestMember:
    scales = spread_scales(_scaled_errors(member.out_of_fold, unseen))
    digest = hashlib.sha256(member.content).hexdigest()
    weights = row_weights(unseen.as_of_ns)
    return ManifestMember(
        name=member.name,
        version=hashlib.sha256(f"{digest}{scales}".encode()).hexdigest()[:12],
        file=member.file,
        sha256=digest,
        prior_weight=member.prior_weight,
        training_seconds=member.seconds,
        hold_out=score(held_out.horizons, member.held_out * held_out.units(), held_out.log_returns),
        calibration=calibrations(unseen.horizons, member.out_of_fold, scales, unseen.log_returns, weights),
        spread_scale=scales,
        feature_importance=member.feature_importance,
    )


def _scaled_errors(targets: FloatArray, dataset: Dataset) -> FloatArray:
    errors: FloatArray = targets - dataset.log_returns / dataset.units()
    return errors
