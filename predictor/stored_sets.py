"""Model sets in the artifact store: put there, fetched from there, and let go."""

import logging
import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from predictor.artifacts import MANIFEST_FILE, UnfitModelSetError, find_model_sets
from predictor.manifest import Manifest
from predictor.saving import UNFINISHED_PREFIX, save_folder
from predictor.store import ArtifactStore, DamagedArtifactError, MissingArtifactError, digest_of
from schemas.codec import UndecodableError, decoder
from schemas.events import ModelEvent

_log = logging.getLogger(__name__)
#: So many sets are kept, the newest that served.
KEPT_SETS = 5
#: Nobody is still at work on what has been unfinished for so long: whoever was, was killed.
LEFT_SECONDS = 86_400.0
_decode = decoder(Manifest)
#: Names come from a manifest, and become files: they lead nowhere else.
_is_plain_name = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}").fullmatch


def put_set(store: ArtifactStore, folder: Path) -> str:
    """Put a set into the store, its manifest last, and give the manifest's SHA-256.

    Who finds the manifest there finds all of the set.

    Raises:
        UnfitModelSetError: Its files are not all there, or not those that the manifest names.
        StoreUnreachableError: The store did not take them.
    """
    manifest_content = _read(folder, MANIFEST_FILE)
    for member in _manifest_of(manifest_content, str(folder)).members:
        content = _read(folder, member.file)
        if digest_of(content) != member.sha256:
            raise UnfitModelSetError(f"model set {folder}: {member.file} is not the file that was saved")
        store.put(content)
    return store.put(manifest_content)


def fetch_set(store: ArtifactStore, manifest_sha256: str, directory: Path) -> Path:
    """Fetch a set into `directory/<its name>`, whole or not at all; one that is there already is left alone.

    Every file has the SHA-256 that was announced, or that the manifest names; none of them is looked into.

    Raises:
        ArtifactError: The store does not answer, or an artifact is missing or damaged.
        UnfitModelSetError: The manifest is none, or names files that cannot be.
        OSError: The directory cannot be written.
    """
    content = store.get(manifest_sha256)
    manifest = _manifest_of(content, f"artifact {manifest_sha256} in {store.name}")
    folder = directory / _plain(manifest.model_set)
    wanted = {_plain(member.file): member.sha256 for member in manifest.members}
    if holds(folder, {**wanted, MANIFEST_FILE: manifest_sha256}):
        return folder
    if folder.exists() and not (folder / MANIFEST_FILE).exists():
        raise UnfitModelSetError(f"model set {manifest.model_set}: {folder} is there, and is no model set")
    files = {name: store.get(sha256) for name, sha256 in wanted.items()}
    return save_folder(manifest.model_set, {**files, MANIFEST_FILE: content}, directory)


def sets_to_keep(newest_first: Iterable[ModelEvent], count: int = KEPT_SETS) -> list[str]:
    """Name the sets that are kept: what serves and challenges now, and what served before, so many in all.

    Args:
        newest_first: All decisions, as `Decisions.newest_first` gives them.
    """
    names: dict[str, None] = {}
    for number, event in enumerate(newest_first):
        for name in (event.serving, event.challenger if number == 0 else None):
            if name is not None and (len(names) < count or number == 0):
                names[name] = None
    return list(names)


def prune(store: ArtifactStore, directory: Path, keep: Sequence[str]) -> list[str]:
    """Remove the sets on disk that are not kept, and the artifacts that no kept set names; give the sets' names.

    So a store is one deployment's own, and nobody else may be putting a set meanwhile. Of a web server, which does not
    list what it has, only the artifacts of the removed sets go.

    Args:
        keep: `sets_to_keep` names them, the serving one first; none: nothing is removed.

    Raises:
        ArtifactError: The store does not answer; the sets on disk are still there, and the next time goes on.
    """
    found = find_model_sets(directory) if keep else []
    removed = {folder: each for folder, each in found if not {each.model_set, folder.name} & set(keep)}
    kept = {folder: each for folder, each in found if folder not in removed}
    elsewhere = set(keep) - {manifest.model_set for manifest in kept.values()}
    stays = _digests_of(kept)
    for sha256 in sorted(_candidates(store, removed, stays, elsewhere) - stays) if keep else ():
        store.remove(sha256)
    for folder in sorted(removed):
        _remove_folder(folder)
        _log.info("removed model set %s", folder.name)
    return sorted(folder.name for folder in removed)


def remove_leftovers(store: ArtifactStore, directory: Path, now_seconds: float) -> None:
    """Remove what a kill has left unfinished, beside the sets and in the store, a day after.

    Args:
        now_seconds: Since the epoch, as the times of files are.

    Raises:
        ArtifactError: The store could not remove it; the next time goes on.
        OSError: A folder cannot be looked at: likewise.
    """
    until_seconds = now_seconds - LEFT_SECONDS
    for left in directory.glob(f"{UNFINISHED_PREFIX}*"):
        if left.stat().st_mtime < until_seconds:
            shutil.rmtree(left)
            _log.info("removed %s, which was left unfinished", left)
    store.remove_unfinished(until_seconds)


def _candidates(store: ArtifactStore, removed: dict[Path, Manifest], stays: set[str], elsewhere: set[str]) -> set[str]:
    """Give the artifacts that may go. Kept sets that are not on this disk may be in the store: theirs stay."""
    if store.lists:
        there = store.digests()
        return there - _named_by(store, there - stays, elsewhere)
    if elsewhere:
        _log.warning("%s: no artifact is removed, for want of the manifest of %s", store.name, min(elsewhere))
        return set()
    return _digests_of(removed)


def _named_by(store: ArtifactStore, digests: set[str], names: set[str]) -> set[str]:
    """Find the manifests of these sets among artifacts, and give all that they name."""
    named: set[str] = set()
    for sha256 in digests if names else ():
        try:
            manifest = _decode(store.get(sha256))
        except (UndecodableError, MissingArtifactError, DamagedArtifactError):  # a model, or nothing that is worth it
            continue
        if manifest.model_set in names:
            named |= {sha256, *(member.sha256 for member in manifest.members)}
    return named


def _digests_of(sets: dict[Path, Manifest]) -> set[str]:
    members = {member.sha256 for manifest in sets.values() for member in manifest.members}
    return members | {digest_of(_read(folder, MANIFEST_FILE)) for folder in sets}


def _remove_folder(folder: Path) -> None:
    """Take its name away first: a set is there whole, or not at all."""
    with tempfile.TemporaryDirectory(prefix=UNFINISHED_PREFIX, dir=folder.parent) as place:
        folder.rename(Path(place, "removed"))


def holds(folder: Path, wanted: dict[str, str]) -> bool:
    """Tell whether a folder holds these files, SHA-256 by name."""
    try:
        return all(digest_of((folder / name).read_bytes()) == sha256 for name, sha256 in wanted.items())
    except (OSError, ValueError):
        return False


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except (OSError, ValueError) as error:
        raise UnfitModelSetError(f"model set {folder}: {name!r} cannot be read: {error}") from error


def _manifest_of(content: bytes, where: str) -> Manifest:
    try:
        return _decode(content)
    except UndecodableError as error:
        raise UnfitModelSetError(f"{where} is no manifest: {error}") from error


def _plain(name: str) -> str:
    if not _is_plain_name(name):
        raise UnfitModelSetError(f"a model set's manifest names {name[:80]!r}, which is no plain name of a file")
    return name
