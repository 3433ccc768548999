"""Model sets to disk, whole or not at all, and the event that announces one."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from predictor.artifacts import MANIFEST_FILE
from predictor.manifest import Manifest, ManifestMember
from schemas.events import ModelAction, ModelEvent, ModelMember


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
