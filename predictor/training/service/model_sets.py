"""Find a model set by its name: on disk, or in the artifact store, whole."""

import hashlib
import logging
from pathlib import Path

from predictor.artifacts import UnfitModelSetError, find_model_sets, read_manifest
from predictor.training.service.next_state import FoundSet
from predictor.training.service.outside import LostSetError, Store
from predictor.training.service.past import Past
from schemas.errors import RetryError, TickcastError

_log = logging.getLogger(__name__)


class ModelSets:
    """The sets that can be had here."""

    def __init__(self, directory: Path, store: Store) -> None:
        self._directory = directory
        self._store = store

    def on_disk(self) -> list[str]:
        """Name the sets that lie in our folder."""
        return [manifest.model_set for _, manifest in find_model_sets(self._directory)]

    def find(self, name: str, past: Past, *, insist: bool = False) -> FoundSet | str:
        """Give a set, or say why it cannot be had.

        Args:
            insist: A store that does not answer is no reason.

        Raises:
            RetryError: It does not answer.
        """
        if Path(name).name != name or "\0" in name:
            return f"model_set: {name!r} is no name of a set"
        why = f"there is no model set {name}"
        for folder in (self._directory / name, *map(Path, past.locations(name))):
            found = whole_set(folder, name)
            if isinstance(found, FoundSet):
                return found
            why = found or why
        digest = past.manifest_sha256(name)
        return why if digest is None else self._fetch(name, digest, insist)

    def _fetch(self, name: str, digest: str, insist: bool) -> FoundSet | str:
        try:
            folder = self._store.fetch(digest)
        except (TickcastError, OSError) as error:
            if insist and not isinstance(error, LostSetError):
                raise RetryError(f"model set {name} cannot be fetched from the artifact store: {error}") from error
            return f"model set {name} cannot be fetched from the artifact store: {error}"
        _log.info("fetched model set %s from the artifact store", name)
        return whole_set(folder, name) or f"model set {name} is not what the artifact store has under {digest}"


def whole_set(folder: Path, name: str) -> FoundSet | str | None:
    """Give the set in a folder, why it is not whole, or None where nothing lies there."""
    try:
        if not folder.is_dir():
            return None
        manifest = read_manifest(folder)
        if manifest.model_set != name:
            return f"{folder} holds {manifest.model_set}, not {name}"
        for member in manifest.members:
            if hashlib.sha256((folder / member.file).read_bytes()).hexdigest() != member.sha256:
                return f"model set {name}: {member.file} is not the file that was saved: its SHA-256 differs"
    except UnfitModelSetError as error:
        return str(error)
    except (OSError, ValueError) as error:
        return f"model set {name} cannot be read: {error}"
    return FoundSet(manifest, folder)
