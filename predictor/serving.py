"""Which model set answers: the newest that was announced, if it loads, fits and has not seen the bars to come."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from predictor.artifacts import ModelSet, UnfitModelSetError, load_model_set
from predictor.manifest import fits
from predictor.settings import PredictorSettings
from schemas.events import Features, ModelEvent, Origin
from schemas.features import FEATURE_VERSION
from schemas.times import to_rfc3339

_log = logging.getLogger(__name__)

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


class Serving:
    """The serving set, and one that waits for the stream to pass what it was trained on.

    The next bar to be predicted live begins no earlier than the newest live final event ends, so a set whose
    `train_end` is after that end has seen bars that are still to come: it is refused, the one before it stays,
    and it gets its turn when the stream has passed its `train_end`. This is judged only after the predictor has
    caught up with the log (while it replays old events, those up to `train_end` are simply in the sample), and
    only by final events that are no warm-up (a warm-up is the past, played before the live bars). Before the
    first such event a set is taken at its word.
    """

    def __init__(self, settings: PredictorSettings, load: Load) -> None:
        self.current: ModelSet | None = None
        self.swaps = 0
        self._settings = settings
        self._load = load
        self._waiting: ModelSet | None = None
        self._newest_live_ns: int | None = None
        self._caught_up = False

    @property
    def waiting(self) -> ModelSet | None:
        """Give the set that waits, if one does."""
        return self._waiting

    def announce(self, event: ModelEvent) -> None:
        """Follow a decision; what cannot serve changes nothing but the log."""
        if event.serving is None:
            self._waiting = None
            self._swap(None)
            return
        if self.current is not None and self.current.manifest.model_set == event.serving and not self.current.refused:
            self._waiting = None
            return
        try:
            announced = _checked(self._load(event), event)
        except UnfitModelSetError as error:
            _log.warning("refused: %s; %s goes on", error, _name(self.current))
            return
        for name, why in announced.refused.items():
            _log.warning("model set %s serves without %s: %s", event.serving, name, why)
        if (refusal := self._refusal(announced)) is None:
            self._waiting = None
            self._swap(announced)
        else:
            self._waiting = announced
            _log.warning("refused for now: %s; %s goes on", refusal, _name(self.current))

    def observe(self, events: Iterable[Features], *, caught_up: bool) -> None:
        """Look at new events before they are predicted: they tell how far the live stream is."""
        ends = [event.as_of_ns for event in events if event.final and event.origin is not Origin.WARM_UP]
        self._newest_live_ns = max([*ends, *filter(None, [self._newest_live_ns])], default=None)
        self._caught_up = caught_up
        if self._waiting is not None and caught_up and self._refusal(self._waiting) is None:
            self._swap(self._waiting)
            self._waiting = None
        elif self.current is not None and (refusal := self._refusal(self.current)) is not None:
            self._waiting = self.current
            _log.warning("refused for now: %s; the statistical forecaster answers", refusal)
            self._swap(None)

    def _refusal(self, model_set: ModelSet) -> str | None:
        settings, manifest = self._settings, model_set.manifest
        reason = fits(
            manifest,
            interval=settings.interval,
            horizons=settings.horizons,
            feature_version=FEATURE_VERSION,
            before_ns=self._newest_live_ns if self._caught_up else None,
        )
        trained = f"model set {manifest.model_set}, trained through {to_rfc3339(manifest.train_end_ns)}"
        return None if reason is None else f"{trained}: {reason}"

    def _swap(self, model_set: ModelSet | None) -> None:
        if _name(model_set) != _name(self.current):
            self.swaps += 1
            _log.info("%s answers from now on", _name(model_set))
        self.current = model_set


def _checked(model_set: ModelSet, event: ModelEvent) -> ModelSet:
    if model_set.manifest.model_set != event.serving:
        raise UnfitModelSetError(f"model set {event.serving}: {model_set.folder} holds {model_set.manifest.model_set}")
    if not model_set.members:
        raise UnfitModelSetError(f"model set {event.serving}: {'; '.join(model_set.refused.values()) or 'no members'}")
    return model_set


def _name(model_set: ModelSet | None) -> str:
    return "the statistical forecaster" if model_set is None else f"model set {model_set.manifest.model_set}"
