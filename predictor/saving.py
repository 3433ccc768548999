"""Model sets to disk, whole or not at all, and the event that announces one."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import structs

from predictor.artifacts import MANIFEST_FILE
from predictor.manifest import Manifest, ManifestMember
from schemas.events import ModelAction, ModelEvent, ModelMember

#: With this begins the name of a folder that is being made or deleted, beside the sets.
UNFINISHED_PREFIX = ".unfinished-"


@dataclass(frozen=True)
class Challenger:
    """A set that is shown beside the serving one.

    Attributes:
        manifest_sha256: Under which the artifact store has its manifest.
        share: Of the tickers: there it is served, and the other one shown.
    """

    name: str
    location: str | None = None
    manifest_sha256: str | None = None
    share: float = 0.0


def save_manifest(manifest: Manifest, folder: Path) -> None:
    """Write a manifest into its set's folder, whole or not at all."""
    path = folder / MANIFEST_FILE
    unfinished = path.with_suffix(".unfinished")
    _write(unfinished, _manifest_content(manifest))
    unfinished.replace(path)


def _manifest_content(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2)


def save_model_set(manifest: Manifest, files: Mapping[str, bytes], directory: Path) -> Path:
    """Save a set as `directory/<its name>`; the folder appears when it is complete.

    Args:
        files: Content by file name. A set of this name that is there already is replaced.
    """
    return save_folder(manifest.model_set, {**files, MANIFEST_FILE: _manifest_content(manifest)}, directory)


def save_folder(name: str, files: Mapping[str, bytes], directory: Path) -> Path:
    """Save the files of a set, its manifest among them, as `directory/<name>`, likewise: after a power cut too."""
    directory.mkdir(parents=True, exist_ok=True)
    folder = directory / name
    with tempfile.TemporaryDirectory(prefix=UNFINISHED_PREFIX, dir=directory) as place:
        unfinished = Path(place, "set")
        unfinished.mkdir()
        for file, content in files.items():
            _write(unfinished / file, content)
        _see_on_disk(unfinished)
        if folder.exists():
            folder.rename(Path(place, "replaced"))
        unfinished.rename(folder)
        _see_on_disk(directory)
    return folder


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _see_on_disk(directory: Path) -> None:
    """Wait until the names in a directory are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def model_event(  # noqa: PLR0913 - most of them have a default
    manifest: Manifest,
    folder: Path,
    action: ModelAction,
    decided_by: str,
    reason: str,
    now_ns: int,
    *,
    manifest_sha256: str | None = None,
    command_id: str | None = None,
    numbers: Mapping[str, float] | None = None,
    challenger: Challenger | None = None,
) -> ModelEvent:
    """Tell the world that this set serves from now on.

    Args:
        manifest_sha256: Under which the artifact store has the manifest: `put_set` gives it.
        command_id: The command that this answers.
        numbers: What the decision was made on, by name.
        challenger: The set that is shown beside it from now on.
    """
    event = ModelEvent(
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
        manifest_sha256=manifest_sha256,
        command_id=command_id,
        numbers=dict(numbers or {}),
    )
    return with_challenger(event, challenger)


def with_challenger(event: ModelEvent, challenger: Challenger | None) -> ModelEvent:
    """Give the event with this challenger beside the serving set, or with none."""
    if challenger is None:
        return structs.replace(
            event, challenger=None, challenger_location=None, challenger_sha256=None, challenger_share=0.0
        )
    return structs.replace(
        event,
        challenger=challenger.name,
        challenger_location=challenger.location,
        challenger_sha256=challenger.manifest_sha256,
        challenger_share=challenger.share,
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
