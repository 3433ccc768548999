"""Load the set that a decision on models names: from where it lies, or from the artifact store."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from predictor.artifacts import MANIFEST_FILE, ModelSet, UnfitModelSetError, load_model_set
from predictor.fetching import WAIT_SECONDS, NotYetFetchedError, SetFetcher
from predictor.settings import PredictorSettings
from predictor.store import digest_of, open_store
from predictor.stored_sets import holds
from schemas.events import ModelEvent

_log = logging.getLogger(__name__)

#: Loads the set that an event announces; raises `UnfitModelSetError` where it cannot serve.
Load = Callable[[ModelEvent], ModelSet]


@dataclass(frozen=True)
class Announced:
    """A set as an event names it; `manifest_sha256` is null in older events."""

    name: str
    location: str | None
    manifest_sha256: str | None


def announced_serving(event: ModelEvent) -> Announced:
    """Give what an event says of the serving set."""
    return Announced(str(event.serving), event.location, event.manifest_sha256)


def announced_challenger(event: ModelEvent) -> Announced:
    """Give what an event says of the challenger.

    Raises:
        UnfitModelSetError: It names none.
    """
    if event.challenger is None:
        raise UnfitModelSetError(f"decision {event.id} names no challenger")
    return Announced(event.challenger, event.challenger_location, event.challenger_sha256)


def _folder_of(settings: PredictorSettings, announced: Announced) -> Path:
    """Give the folder of a set: its location, or its name in our own folder.

    A location may be another machine's: one that cannot even be looked at is not there, nor is one that holds another
    manifest than the event's.
    """
    location = announced.location or ""
    # Path.is_dir raises for names that are too long or may not be looked at.
    if os.path.isdir(location) and _is_there(Path(location), announced):  # noqa: PTH112
        return Path(location)
    return settings.models_directory / announced.name


def _is_there(folder: Path, announced: Announced) -> bool:
    """Tell whether a folder holds the very manifest; an older event does not say which."""
    if announced.manifest_sha256 is None:
        return True
    try:
        return digest_of((folder / MANIFEST_FILE).read_bytes()) == announced.manifest_sha256
    except (OSError, ValueError):  # ValueError: a path with NUL in it
        return False


def load_announced(
    settings: PredictorSettings, wait_seconds: float = WAIT_SECONDS, clock: Callable[[], float] = time.monotonic
) -> Load:
    """Give a function that loads the set of an event from its folder, or else by way of the artifact store.

    A set that lies nowhere here, or has a member whose file is gone or damaged, is fetched into `models_directory`, in
    a thread beside the caller's: the function waits for that for `wait_seconds` at most, and says else that the set
    cannot serve yet. Who tries again finds it fetched. Where the store has no whole set either, the set serves without
    that member.

    Raises:
        StopAndSayError: TICKCAST_ARTIFACT_STORE is no address of a store, or a package for it is not installed.
    """
    shelf = _Shelf(settings, wait_seconds, clock)
    return lambda event: shelf.load(announced_serving(event))


def load_challenger(settings: PredictorSettings, wait_seconds: float = WAIT_SECONDS) -> Load:
    """Give a function that loads the challenger of an event, likewise; it must be the one that was announced.

    It is judged under its name, and so must have all members that are weighed.

    Raises:
        StopAndSayError: As for `load_announced`.
    """
    shelf = _Shelf(settings, wait_seconds)

    def load(event: ModelEvent) -> ModelSet:
        announced = announced_challenger(event)
        model_set = shelf.load(announced)
        if model_set.manifest.model_set != announced.name:
            holds = model_set.manifest.model_set
            raise UnfitModelSetError(f"challenger {announced.name}: {model_set.folder} holds {holds}")
        if not model_set.whole:
            raise UnfitModelSetError(
                f"challenger {announced.name} is not whole: {'; '.join(model_set.refused.values())}"
            )
        return _with_members(model_set, f"challenger {announced.name}")

    return load


class _Shelf:
    """Where sets are looked for, one after the other."""

    def __init__(
        self, settings: PredictorSettings, wait_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._fetcher = SetFetcher(open_store(settings), settings.models_directory, wait_seconds, clock)

    def load(self, announced: Announced) -> ModelSet:
        folder = _folder_of(self._settings, announced)
        if announced.manifest_sha256 is None:
            return self._load(folder)
        if not _is_there(folder, announced):
            try:
                folder = self._fetcher.fetch(announced.manifest_sha256)
            except UnfitModelSetError as error:
                raise UnfitModelSetError(f"model set {announced.name} is not in {folder}: {error}") from error
        return self._healed(self._load(folder), announced.manifest_sha256)

    def _load(self, folder: Path) -> ModelSet:
        return load_model_set(folder, interval=self._settings.interval, horizons=self._settings.horizons)

    def _healed(self, model_set: ModelSet, manifest_sha256: str) -> ModelSet:
        """Give the set as the store has it, if a file here is not the one that was saved."""
        files = {each.file: each.sha256 for each in model_set.manifest.members if each.name in model_set.refused}
        if holds(model_set.folder, files):
            return model_set
        try:
            return self._load(self._fetcher.fetch(manifest_sha256))
        except NotYetFetchedError as error:
            raise UnfitModelSetError(f"model set {model_set.folder} is damaged: {error}") from error
        except UnfitModelSetError as error:
            _log.warning("model set %s is damaged, and cannot be fetched: %s", model_set.folder, error)
            return model_set


def load_checked(load: Load, event: ModelEvent) -> ModelSet:
    """Load the set of an event, which must be the very one that it announces, with a member that is weighed at least.

    Raises:
        UnfitModelSetError: It cannot serve.
    """
    model_set = load(event)
    manifest = model_set.manifest
    if manifest.model_set != event.serving:
        raise UnfitModelSetError(f"model set {event.serving}: {model_set.folder} holds {manifest.model_set}")
    announced = {(member.name, member.version, member.sha256) for member in event.members}
    if announced != {(member.name, member.version, member.sha256) for member in manifest.members}:
        raise UnfitModelSetError(f"model set {event.serving}: {model_set.folder} holds other members than announced")
    return _with_members(model_set, f"model set {event.serving}")


def _with_members(model_set: ModelSet, name: str) -> ModelSet:
    if not any(member.prior_weight > 0 for member in model_set.members):
        raise UnfitModelSetError(f"{name}: {'; '.join(model_set.refused.values()) or 'no members'}")
    return model_set
