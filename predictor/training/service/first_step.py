"""See to it that a set serves, before anything is asked: the announced one, one on disk, or a new one."""

from dataclasses import dataclass

from predictor.manifest import fits
from predictor.training.ensure import Say, newest_set_on_disk, trained_through
from predictor.training.service.model_sets import ModelSets
from predictor.training.service.next_state import FoundSet
from predictor.training.service.past import Past
from predictor.training.settings import NO_PAST, TrainingSettings


@dataclass(frozen=True)
class Announce:
    """A set on disk is to be announced."""

    found: FoundSet
    reason: str


@dataclass(frozen=True)
class TrainFirst:
    """There is none: one is to be trained."""


def first_step(settings: TrainingSettings, past: Past, sets: ModelSets, say: Say) -> Announce | TrainFirst | None:
    """Say what is to be done; None where nothing is, or nothing can be.

    Raises:
        RetryError: The artifact store, which has the set that serves, does not answer: that does not make it lost.
    """
    if settings.source == "simulated":
        say("simulated prices teach nothing: the statistical forecaster answers")
        return None
    if (unloaded := past.unloaded) is not None:
        say(f"{unloaded.decided_by} decided that no model set serves: {unloaded.reason}")
        return None
    if past.serving is not None and _can_serve(settings, past.serving, past, sets, say):
        say(f"model set {past.serving} serves already")
        return None
    if (before_ns := settings.before_ns) is None:
        say(f"{NO_PAST}: the statistical forecaster answers")
        return None
    on_disk = newest_set_on_disk(settings, before_ns, say, passed_over=past.rolled_back())
    if on_disk is None:
        return TrainFirst()
    reason = f"the newest set on disk that fits, {trained_through(on_disk.manifest, before_ns)}"
    return Announce(FoundSet(on_disk.manifest, on_disk.folder), reason)


def _can_serve(settings: TrainingSettings, name: str, past: Past, sets: ModelSets, say: Say) -> bool:
    found = sets.find(name, past, insist=True)
    if not isinstance(found, FoundSet):
        say(found)
        return False
    why = fits(found.manifest, interval=settings.interval, horizons=settings.horizons)
    if why is not None:
        say(f"model set {name} does not fit: {why}")
    return why is None
