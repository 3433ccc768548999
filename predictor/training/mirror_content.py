"""What a manifest is in MLflow's terms: parameters, metrics and tags."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from msgspec import structs

from predictor.artifacts import MANIFEST_FILE
from predictor.manifest import Manifest
from schemas.events import HoldOutScore
from schemas.times import to_rfc3339

#: Tags by which sets and decisions are found.
MODEL_SET, DECISION = "model_set", "decision_id"


def parameters_of(manifest: Manifest) -> dict[str, str]:
    """Give what was asked of the training, and the libraries that did it."""
    options = manifest.options
    asked = {
        "source": options.source,
        "before": to_rfc3339(options.before_ns),
        "window_bars": options.window_bars,
        "seed": options.seed,
        "interval": manifest.interval,
        "horizons": ",".join(map(str, manifest.horizons)),
        "feature_version": manifest.feature_version,
        "tickers": len(manifest.tickers),
        "samples": manifest.samples,
    }
    for model, parameters in structs.asdict(options.parameters).items():
        asked |= {f"{model}.{name}": value for name, value in structs.asdict(parameters).items()}
    asked |= {f"library.{name}": version for name, version in manifest.library_versions.items()}
    return {name: "" if value is None else str(value) for name, value in asked.items()}


def metrics_of(manifest: Manifest) -> dict[str, float]:
    """Give the hold-out's scores, like `forest/hit_rate_5`, and beside each error its ratio to that of no change."""
    unchanged = _errors(manifest.baselines.get("no_change", []))
    metrics = _scores("ensemble", manifest.hold_out, unchanged)
    for member in manifest.members:
        metrics |= _scores(member.name, member.hold_out, unchanged)
        metrics[f"{member.name}/training_seconds"] = member.training_seconds
    for name, scores in manifest.baselines.items():
        metrics |= _scores(name, scores, {})
    return metrics


def tags_of(manifest: Manifest, folder: Path, decision_id: str | None) -> dict[str, str]:
    """Give what a set is found by: its name, its decision, what it was trained through, where its files are."""
    tags = {
        MODEL_SET: manifest.model_set,
        "train_end": to_rfc3339(manifest.train_end_ns),
        "manifest_sha256": hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest(),
        "location": str(folder.resolve()),
    }
    return tags if decision_id is None else tags | {DECISION: decision_id}


def _scores(name: str, scores: Sequence[HoldOutScore], unchanged: dict[int, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for score in scores:
        found[f"{name}/mean_absolute_error_{score.horizon}"] = score.mean_absolute_error
        found[f"{name}/root_mean_squared_error_{score.horizon}"] = score.root_mean_squared_error
        if score.hit_rate is not None:
            found[f"{name}/hit_rate_{score.horizon}"] = score.hit_rate
        if unchanged.get(score.horizon):
            found[f"{name}/error_ratio_{score.horizon}"] = score.root_mean_squared_error / unchanged[score.horizon]
    return found


def _errors(scores: Sequence[HoldOutScore]) -> dict[int, float]:
    return {score.horizon: score.root_mean_squared_error for score in scores}
