"""Fits the models, scores them on the hold-out, refits them on everything, and makes the set."""

import hashlib
import time
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from predictor.manifest import Manifest, ManifestMember, TrainingOptions, named
from predictor.models.base import FloatArray
from predictor.models.rules import NaiveForecaster, StatisticalMember
from predictor.training.arima_fit import fit_arima
from predictor.training.calibrate import calibrations, interval_quantiles, spread_scales
from predictor.training.dataset import Dataset
from predictor.training.fitting import Fit, Progress, checked_export
from predictor.training.forest_fit import fit_forest
from predictor.training.lstm_fit import MAX_EPOCHS, fit_lstm
from predictor.training.rule_fit import fit_rule
from predictor.training.scoring import baselines, score
from predictor.training.split import Split, hold_out_split
from predictor.training.xgboost_fit import fit_xgboost
from schemas.times import Interval

#: The ensemble before any score has come in, and how each member is fitted.
PRIOR_WEIGHTS = {"forest": 0.4, "lstm": 0.6, "xgboost": 0.0, "arima": 0.0, "naive": 0.0, "statistical": 0.0}
FITTERS: dict[str, Fit] = {
    "forest": fit_forest,
    "lstm": fit_lstm,
    "xgboost": fit_xgboost,
    "arima": fit_arima,
    "naive": fit_rule(NaiveForecaster),
    "statistical": fit_rule(StatisticalMember),
}
_STEPS = 2 * 3 + 2 * MAX_EPOCHS + len(FITTERS)
_LIBRARIES = ("keras", "numpy", "onnx", "onnxruntime", "scikit-learn", "skl2onnx", "statsmodels", "tensorflow", "tf2onnx", "xgboost-cpu")


@dataclass(frozen=True)
class TrainedSet:
    """A set that is ready to be saved."""

    manifest: Manifest
    files: dict[str, bytes]


@dataclass(frozen=True)
class _Member:
    """A fitted member: what it said of the hold-out (scaled targets), and the file of its refit."""

    name: str
    file: str
    held_out: FloatArray
    content: bytes
    seconds: float
    feature_importance: dict[str, float]


def train(dataset: Dataset, interval: Interval, options: TrainingOptions, now_ns: int) -> TrainedSet:
    """Train a model set.

    Raises:
        TooFewSamplesError: There is not enough history.
        ExportDiffersError: An exported model is not the fitted one.
    """
    split = hold_out_split(dataset)
    progress = Progress(_STEPS)
    try:
        members = [_fit_member(name, fit, dataset, split, options.seed, progress) for name, fit in FITTERS.items()]
    finally:
        progress.close()
    manifest = named(_manifest(dataset, interval, split, members, options, now_ns))
    return TrainedSet(manifest, {member.file: member.content for member in members})


def _fit_member(name: str, fit: Fit, dataset: Dataset, split: Split, seed: int, progress: Progress) -> _Member:
    started = time.perf_counter()
    model = fit(split.before, seed, progress)
    held_out = model.predict_targets(split.after.batch)
    model = model.refit(dataset)
    content = checked_export(model, dataset)
    progress.step("export")
    return _Member(name, model.file, held_out, content, time.perf_counter() - started, model.feature_importance)


def _manifest(
    dataset: Dataset,
    interval: Interval,
    split: Split,
    members: list[_Member],
    options: TrainingOptions,
    now_ns: int,
) -> Manifest:
    after = split.after
    ensemble: FloatArray = sum(
        (PRIOR_WEIGHTS[member.name] * member.held_out for member in members), np.zeros_like(after.log_returns)
    )
    return Manifest(
        model_set="",
        interval=interval,
        horizons=list(dataset.horizons),
        train_start_ns=int(dataset.as_of_ns.min()),
        train_end_ns=int(dataset.label_end_ns.max()),
        hold_out_start_ns=int(after.as_of_ns.min()),
        hold_out_dates=len(np.unique(after.as_of_ns)),
        created_at_ns=now_ns,
        tickers=sorted(map(str, np.unique(dataset.tickers))),
        samples=len(dataset),
        members=[_manifest_member(member, after) for member in members],
        interval_quantiles=interval_quantiles(after.horizons, _scaled_errors(ensemble, after)),
        hold_out=score(after.horizons, ensemble * after.units(), after.log_returns),
        baselines=baselines(split.before, after),
        library_versions={name: version(name) for name in _LIBRARIES},
        options=options,
    )


def _manifest_member(member: _Member, after: Dataset) -> ManifestMember:
    scales = spread_scales(_scaled_errors(member.held_out, after))
    digest = hashlib.sha256(member.content).hexdigest()
    return ManifestMember(
        name=member.name,
        version=hashlib.sha256(f"{digest}{scales}".encode()).hexdigest()[:12],
        file=member.file,
        sha256=digest,
        prior_weight=PRIOR_WEIGHTS[member.name],
        training_seconds=member.seconds,
        hold_out=score(after.horizons, member.held_out * after.units(), after.log_returns),
        calibration=calibrations(after.horizons, member.held_out, scales, after.log_returns),
        spread_scale=scales,
        feature_importance=member.feature_importance,
    )


def _scaled_errors(targets: FloatArray, dataset: Dataset) -> FloatArray:
    errors: FloatArray = targets - dataset.log_returns / dataset.units()
    return errors
