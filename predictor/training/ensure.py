"""Which model set should serve: the announced one, one that lies on disk, or none yet."""

from collections.abc import Callable
from pathlib import Path

from predictor.artifacts import ModelSet, UnfitModelSetError, find_model_sets, fits, load_model_set
from predictor.manifest import Manifest
from predictor.training.settings import TrainingSettings
from schemas.events import ModelEvent
from schemas.features import FEATURE_VERSION
from schemas.times import interval_ns, to_rfc3339

#: Tells people one line.
Say = Callable[[str], None]


def announced_set(settings: TrainingSettings, event: ModelEvent, say: Say) -> ModelSet | None:
    """Load the set that serves by the newest decision; None, with a line that says why, where it cannot.

    Its place in time is not asked: it was announced for this stream, and the stream only goes on.
    """
    location = Path(event.location or "")
    folder = location if event.location and location.is_dir() else settings.models_directory / str(event.serving)
    return _load(settings, folder, say)


def newest_set_on_disk(settings: TrainingSettings, say: Say) -> ModelSet | None:
    """Find the newest set that was trained on this source, fits, and has seen nothing that will be played live."""
    for folder, manifest in find_model_sets(settings.models_directory):
        if _refusal(settings, manifest) is None and (model_set := _load(settings, folder, say)) is not None:
            return model_set
    return None


def trained_through(manifest: Manifest, before_ns: int | None) -> str:
    """Say how far a set's training goes, and how old that is at the start; None: there is no start."""
    through = f"trained through {to_rfc3339(manifest.train_end_ns)}"
    if before_ns is None:
        return through
    days = (before_ns - manifest.train_end_ns) // interval_ns("1d")
    return f"{through}, {days:,} day{'' if days == 1 else 's'} before the start"


def _refusal(settings: TrainingSettings, manifest: Manifest) -> str | None:
    if manifest.options.source != settings.source:
        return f"it was trained on {manifest.options.source}"
    if settings.training_window_bars is not None and manifest.options.window_bars != settings.training_window_bars:
        return "it was trained on a window of another length"
    return fits(
        manifest,
        interval=settings.interval,
        horizons=settings.horizons,
        feature_version=FEATURE_VERSION,
        before_ns=settings.before_ns,
    )


def _load(settings: TrainingSettings, folder: Path, say: Say) -> ModelSet | None:
    try:
        model_set = load_model_set(
            folder, interval=settings.interval, horizons=settings.horizons, feature_version=FEATURE_VERSION
        )
    except UnfitModelSetError as error:
        say(str(error))
        return None
    for name, reason in model_set.refused.items():
        say(f"model set {model_set.manifest.model_set} has lost {name}: {reason}")
    return None if model_set.refused else model_set
