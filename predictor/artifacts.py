"""Model sets from disk, checked before they serve. TensorFlow is not needed here."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from predictor.manifest import Calibration, Manifest, ManifestMember, fits
from predictor.models import load_forecaster
from predictor.models.base import Forecaster
from schemas.codec import decoder
from schemas.errors import RetryError

MANIFEST_FILE = "manifest.json"
_log = logging.getLogger(__name__)
_decode = decoder(Manifest)


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

    @property
    def whole(self) -> bool:
        """Tell whether all members that are weighed are there; the others are shown, and their loss is only said."""
        return not any(member.name in self.refused and member.prior_weight > 0 for member in self.manifest.members)


def read_manifest(folder: Path) -> Manifest:
    """Read a set's manifest.

    Raises:
        UnfitModelSetError: It is missing or unreadable.
    """
    try:
        return _decode((folder / MANIFEST_FILE).read_bytes())
    except (OSError, ValueError) as error:  # ValueError: a path with NUL in it, or what is not a manifest
        raise UnfitModelSetError(f"model set {folder}: {MANIFEST_FILE} cannot be read: {error}") from error


def load_model_set(folder: Path, *, interval: str, horizons: tuple[int, ...]) -> ModelSet:
    """Load a set for serving.

    Raises:
        UnfitModelSetError: Its manifest is missing or unreadable, or it was made for something else.
    """
    manifest = read_manifest(folder)
    reason = fits(manifest, interval=interval, horizons=horizons)
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
    except (OSError, ValueError) as error:
        raise UnfitModelSetError(f"{member.file!r} cannot be read: {error}") from error
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
