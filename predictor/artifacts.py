"""Model sets on disk: saved whole or not at all, checked before they serve. TensorFlow is not needed here."""

import hashlib
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from predictor.manifest import (
    Calibration,
    IntervalQuantiles,
    Manifest,
    ManifestMember,
    TrainingOptions,
    fits,
    named,
)
from predictor.models import load_forecaster
from predictor.models.base import Forecaster
from schemas.errors import RetryError
from schemas.events import ModelAction, ModelEvent, ModelMember

__all__ = [
    "MANIFEST_FILE",
    "Calibration",
    "IntervalQuantiles",
    "LoadedMember",
    "Manifest",
    "ManifestMember",
    "ModelSet",
    "TrainingOptions",
    "UnfitModelSetError",
    "find_model_sets",
    "fits",
    "load_model_set",
    "model_event",
    "named",
    "read_manifest",
    "save_manifest",
    "save_model_set",
]

MANIFEST_FILE = "manifest.json"
_log = logging.getLogger(__name__)


class UnfitModelSetError(RetryError):
    """A model set that cannot serve here; another one may."""


@dataclass(frozen=True)
class LoadedMember:
    """A member that is ready to predict."""

    forecaster: Forecaster
    prior_weight: float
    calibration: tuple[Calibration, ...]


@dataclass(frozen=True)
class ModelSet:
    """A loaded set.

    Attributes:
        refused: Name of each missing member and why; the rest carry on, and `members` may be empty.
    """

    manifest: Manifest
    folder: Path
    members: tuple[LoadedMember, ...]
    refused: dict[str, str]


def read_manifest(folder: Path) -> Manifest:
    """Read a set's manifest.

    Raises:
        UnfitModelSetError: It is missing or unreadable.
    """
    try:
        return msgspec.json.decode((folder / MANIFEST_FILE).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnfitModelSetError(f"model set {folder}: {MANIFEST_FILE} cannot be read: {error}") from error


def load_model_set(folder: Path, *, interval: str, horizons: tuple[int, ...], feature_version: str) -> ModelSet:
    """Load a set for serving.

    Raises:
        UnfitModelSetError: Its manifest is missing or unreadable, or it was made for something else.
    """
    manifest = read_manifest(folder)
    reason = fits(manifest, interval=interval, horizons=horizons, feature_version=feature_version)
    if reason is not None:
        raise UnfitModelSetError(f"model set {manifest.model_set} does not fit: {reason}")
    members, refused = [], {}
    for member in manifest.members:
        try:
            members.append(_load_member(folder, member, tuple(manifest.horizons)))
        except UnfitModelSetError as error:
            refused[member.name] = str(error)
    return ModelSet(manifest, folder, tuple(members), refused)


def _load_member(folder: Path, member: ManifestMember, horizons: tuple[int, ...]) -> LoadedMember:
    try:
        content = (folder / member.file).read_bytes()
    except OSError as error:
        raise UnfitModelSetError(f"{member.file} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != member.sha256:
        raise UnfitModelSetError(f"{member.file} is not the file that was saved: its SHA-256 differs")
    try:
        forecaster = load_forecaster(member.name, content, horizons, tuple(member.spread_scale), member.version)
    except Exception as error:  # whatever ONNX Runtime raises: this member stays out, the rest carry on
        raise UnfitModelSetError(f"{member.file} cannot be loaded: {error}") from error
    return LoadedMember(forecaster, member.prior_weight, tuple(member.calibration))


def find_model_sets(directory: Path) -> list[tuple[Path, Manifest]]:
    """List the sets in a directory, those trained on the newest data first; what cannot be read is passed over."""
    found = []
    for path in sorted(directory.glob(f"*/{MANIFEST_FILE}")):
        try:
            found.append((path.parent, read_manifest(path.parent)))
        except UnfitModelSetError as error:
            _log.warning("%s", error)
    return sorted(found, key=lambda each: (each[1].train_end_ns, each[1].created_at_ns), reverse=True)


def save_manifest(manifest: Manifest, folder: Path) -> None:
    """Write a manifest into its set's folder, whole or not at all."""
    path = folder / MANIFEST_FILE
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    unfinished.replace(path)


def save_model_set(manifest: Manifest, files: Mapping[str, bytes], directory: Path) -> Path:
    """Save a set as `directory/<its name>`; the folder appears when it is complete.

    Args:
        files: Content by file name. A set of this name that is there already is replaced.
    """
    directory.mkdir(parents=True, exist_ok=True)
    folder = directory / manifest.model_set
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=directory) as place:
        unfinished = Path(place, "set")
        unfinished.mkdir()
        for name, content in files.items():
            (unfinished / name).write_bytes(content)
        save_manifest(manifest, unfinished)
        if folder.exists():
            folder.rename(Path(place, "replaced"))
        unfinished.rename(folder)
    return folder


def model_event(
    manifest: Manifest, folder: Path, action: ModelAction, decided_by: str, reason: str, now_ns: int
) -> ModelEvent:
    """Tell the world that this set serves from now on."""
    return ModelEvent(
        id=f"{manifest.model_set}/{action}/{now_ns}",
        model_set=manifest.model_set,
        action=action,
        serving=manifest.model_set,
        location=str(folder.resolve()),
        interval=manifest.interval,
        horizons=manifest.horizons,
        feature_version=manifest.feature_version,
        train_start_ns=manifest.train_start_ns,
        train_end_ns=manifest.train_end_ns,
        members=[_event_member(member) for member in manifest.members],
        decided_by=decided_by,
        reason=reason,
        decided_at_ns=now_ns,
        hold_out=manifest.hold_out,
        baselines=manifest.baselines,
        tickers=manifest.tickers,
    )


def _event_member(member: ManifestMember) -> ModelMember:
    return ModelMember(
        name=member.name,
        version=member.version,
        file=member.file,
        sha256=member.sha256,
        prior_weight=member.prior_weight,
        training_seconds=member.training_seconds,
        hold_out=member.hold_out,
        feature_importance=member.feature_importance,
    )
