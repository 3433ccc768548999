"""Load the set that a decision on models names."""

from collections.abc import Callable
from pathlib import Path

from predictor.artifacts import ModelSet, UnfitModelSetError, load_model_set
from predictor.settings import PredictorSettings
from schemas.events import ModelEvent
from schemas.features import FEATURE_VERSION

#: Loads the set that an event announces; raises `UnfitModelSetError` where it cannot serve.
Load = Callable[[ModelEvent], ModelSet]


def load_announced(settings: PredictorSettings) -> Load:
    """Give a function that loads the set of an event from its location, or by its name from our own folder."""

    def load(event: ModelEvent) -> ModelSet:
        announced = Path(event.location or "")
        folder = announced if event.location and announced.is_dir() else settings.models_directory / str(event.serving)
        return load_model_set(
            folder, interval=settings.interval, horizons=settings.horizons, feature_version=FEATURE_VERSION
        )

    return load


def load_checked(load: Load, event: ModelEvent) -> ModelSet:
    """Load the set of an event, which must be the one that it names, with a member at least.

    Raises:
        UnfitModelSetError: It cannot serve.
    """
    model_set = load(event)
    if model_set.manifest.model_set != event.serving:
        raise UnfitModelSetError(f"model set {event.serving}: {model_set.folder} holds {model_set.manifest.model_set}")
    if not model_set.members:
        raise UnfitModelSetError(f"model set {event.serving}: {'; '.join(model_set.refused.values()) or 'no members'}")
    return model_set
