"""Load the set that a decision on models names."""

import os
from collections.abc import Callable
from pathlib import Path

from predictor.artifacts import ModelSet, UnfitModelSetError, load_model_set
from predictor.settings import PredictorSettings
from schemas.events import ModelEvent

#: Loads the set that an event announces; raises `UnfitModelSetError` where it cannot serve.
Load = Callable[[ModelEvent], ModelSet]


def announced_folder(settings: PredictorSettings, event: ModelEvent) -> Path:
    """Give the folder of the set that an event announces: its location, or its name in our own folder.

    A location may be another machine's: one that cannot even be looked at is not there.
    """
    location = event.location or ""
    if os.path.isdir(location):  # noqa: PTH112 - Path.is_dir raises for names that are too long or may not be looked at
        return Path(location)
    return settings.models_directory / str(event.serving)


def load_announced(settings: PredictorSettings) -> Load:
    """Give a function that loads the set of an event from its folder."""

    def load(event: ModelEvent) -> ModelSet:
        folder = announced_folder(settings, event)
        return load_model_set(folder, interval=settings.interval, horizons=settings.horizons)

    return load


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
    if not any(member.prior_weight > 0 for member in model_set.members):
        raise UnfitModelSetError(f"model set {event.serving}: {'; '.join(model_set.refused.values()) or 'no members'}")
    return model_set
