"""Which model set should serve: the announced one, one that lies on disk, or none yet."""

from collections.abc import Callable, Collection
from pathlib import Path

from predictor.announced import load_announced
from predictor.artifacts import ModelSet, UnfitModelSetError, find_model_sets, load_model_set
from predictor.manifest import Manifest, fits
from predictor.training.parameter_file import read_parameters
from predictor.training.settings import TrainingSettings
from schemas.events import ModelEvent
from schemas.times import interval_ns, to_rfc3339

#: Tells people one line.
Say = Callable[[str], None]
#: How long a training waits for a set that lies only in the artifact store.
_FETCH_WITHIN_SECONDS = 120.0


def announced_set(settings: TrainingSettings, event: ModelEvent, say: Say) -> ModelSet | None:
    """Load the set that serves by the newest decision; None, with a line that says why, where it cannot.

    Its place in time is not asked: it was announced for this stream, and the stream only goes on.
    """
    return _whole(lambda: load_announced(settings, _FETCH_WITHIN_SECONDS)(event), say)


def newest_set_on_disk(
    settings: TrainingSettings, before_ns: int, say: Say, *, passed_over: Collection[str] = ()
) -> ModelSet | None:
    """Find the newest set that was trained on this source, as asked, and on nothing that will be played live.

    Args:
        before_ns: The first live moment.
        passed_over: Names of sets that are not wanted.
    """
    for folder, manifest in find_model_sets(settings.models_directory):
        if manifest.model_set in passed_over or _refusal(settings, before_ns, manifest) is not None:
            continue
        if (model_set := _load(settings, folder, say)) is not None:
            return model_set
    return None


def trained_through(manifest: Manifest, before_ns: int) -> str:
    """Say how far a set's training goes, and how old that is at the start."""
    days = (before_ns - manifest.train_end_ns) // interval_ns("1d")
    end = to_rfc3339(manifest.train_end_ns)
    return f"trained through {end}, {days:,} day{'' if days == 1 else 's'} before the start"


def _refusal(settings: TrainingSettings, before_ns: int, manifest: Manifest) -> str | None:
    if manifest.options.source != settings.source:
        return f"it was trained on {manifest.options.source}"
    if manifest.options.window_bars != settings.training_window_bars:
        return "it was trained on a window of another length"
    if manifest.options.parameters != read_parameters(settings.training_parameters):
        return "it was trained with other parameters"
    return fits(manifest, interval=settings.interval, horizons=settings.horizons, before_ns=before_ns)


def _load(settings: TrainingSettings, folder: Path, say: Say) -> ModelSet | None:
    return _whole(lambda: load_model_set(folder, interval=settings.interval, horizons=settings.horizons), say)


def _whole(load: Callable[[], ModelSet], say: Say) -> ModelSet | None:
    try:
        model_set = load()
    except UnfitModelSetError as error:
        say(str(error))
        return None
    for name, reason in model_set.refused.items():
        say(f"model set {model_set.manifest.model_set} has lost {name}: {reason}")
    return model_set if model_set.whole else None
