"""Which model set answers: the newest announced one that loads, fits and was not trained on bars still to come."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from predictor.announced import Load, load_checked
from predictor.artifacts import ModelSet, UnfitModelSetError
from predictor.manifest import fits
from predictor.settings import PredictorSettings
from schemas.events import Features, ModelEvent, Origin
from schemas.times import to_rfc3339

_log = logging.getLogger(__name__)

#: A set that cannot be loaded is tried again so often: its folder may come after its event.
TRY_AGAIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Pending:
    """A decision whose set cannot be loaded yet, why, and when to try again on the caller's clock."""

    event: ModelEvent
    reason: str
    try_at_seconds: float


class Serving:
    """The serving set, and one that waits for the stream to pass what it was trained on.

    The next bar to be predicted live begins where the newest live final event ends, or where the newest open bar
    starts. A set whose `train_end` is after that was trained on bars that are still to be predicted: it is refused,
    the one before it stays, and it gets its turn when the stream has passed its `train_end`. This is judged only after
    the predictor has caught up with the log (while it replays old events, those up to `train_end` are simply in the
    sample), and not by a warm-up, which is the past, played before the live bars. Before the first live event a set
    is trusted.

    While the newest decision cannot be followed, the set that serves goes on; where none does, the newest earlier
    decision that can be followed holds. So a predictor that was started again answers as one that never stopped.
    """

    def __init__(self, settings: PredictorSettings, load: Load) -> None:
        self.current: ModelSet | None = None
        self._settings = settings
        self._load = load
        self._waiting: ModelSet | None = None
        self._pending: _Pending | None = None
        self._earlier: Sequence[ModelEvent] = ()
        self._next_live_ns: int | None = None
        self._caught_up = False

    @property
    def waiting(self) -> ModelSet | None:
        """Give the set that waits, if one does."""
        return self._waiting

    @property
    def unloadable(self) -> str | None:
        """Say why the newest decision's set cannot be loaded, if it cannot."""
        return None if self._pending is None else self._pending.reason

    def announce(self, event: ModelEvent, earlier: Sequence[ModelEvent] = (), *, now_seconds: float = 0.0) -> None:
        """Follow a decision; what cannot serve changes nothing but the log.

        Args:
            earlier: The decisions before it, newest first.
            now_seconds: On any clock that only goes forward, the same as for `try_again`.
        """
        self._pending, self._earlier = None, earlier
        if event.serving is None:
            self._waiting = None
            self._swap(None)
        elif self._serves(event):
            self._waiting = None
        else:
            self._follow(event, now_seconds)

    def try_again(self, now_seconds: float) -> None:
        """Try a set again that could not be loaded, every `TRY_AGAIN_SECONDS`."""
        if self._pending is not None and now_seconds >= self._pending.try_at_seconds:
            self._follow(self._pending.event, now_seconds)

    def _serves(self, event: ModelEvent) -> bool:
        current = self.current
        return current is not None and current.manifest.model_set == event.serving and current.whole

    def _follow(self, event: ModelEvent, now_seconds: float) -> None:
        try:
            announced = load_checked(self._load, event)
        except UnfitModelSetError as error:
            known, self._pending = self.unloadable, _Pending(event, str(error), now_seconds + TRY_AGAIN_SECONDS)
            if str(error) != known:
                self._go_on_with(self.current or self._before(), f"refused: {error}")
            elif self.current is None:
                self._swap(self._before())  # it may lie in the artifact store, and have come meanwhile
            return
        self._pending = None
        for name, why in announced.refused.items():
            _log.warning("model set %s serves without %s: %s", event.serving, name, why)
        if (refusal := self._refusal(announced)) is None:
            self._waiting = None
            self._swap(announced)
        else:
            self._waiting = announced
            self._go_on_with(self.current or self._before(), f"refused for now: {refusal}")

    def _go_on_with(self, model_set: ModelSet | None, refusal: str) -> None:
        _log.warning("%s; keeping %s", refusal, _name(model_set))
        self._swap(model_set)

    def _before(self) -> ModelSet | None:
        """Load the set of the newest earlier decision that can be followed now."""
        for event in self._earlier:
            if event.serving is None:
                return None
            try:
                model_set = load_checked(self._load, event)
            except UnfitModelSetError:
                continue
            if self._refusal(model_set) is None:
                return model_set
        return None

    def observe(self, events: Iterable[Features], *, caught_up: bool) -> None:
        """Look at new events before they are predicted: they tell how far the live stream is."""
        starts = [_next_bar_ns(event) for event in events if event.origin is not Origin.WARM_UP]
        known = [] if self._next_live_ns is None else [self._next_live_ns]
        self._next_live_ns = max([*known, *starts], default=None)
        self._caught_up = caught_up
        if self._waiting is not None and caught_up and self._refusal(self._waiting) is None:
            self._swap(self._waiting)
            self._waiting = None
        elif self.current is not None and (refusal := self._refusal(self.current)) is not None:
            self._waiting = self.current
            self._go_on_with(self._before(), f"refused for now: {refusal}")

    def _refusal(self, model_set: ModelSet) -> str | None:
        settings, manifest = self._settings, model_set.manifest
        reason = fits(
            manifest,
            interval=settings.interval,
            horizons=settings.horizons,
            before_ns=self._next_live_ns if self._caught_up else None,
        )
        trained = f"model set {manifest.model_set}, trained through {to_rfc3339(manifest.train_end_ns)}"
        return None if reason is None else f"{trained}: {reason}"

    def _swap(self, model_set: ModelSet | None) -> None:
        if _name(model_set) != _name(self.current):
            _log.info("%s answers from now on", _name(model_set))
        self.current = model_set


def _next_bar_ns(event: Features) -> int:
    """Give the start of the bar that an event predicts first: the one after a closed bar, or the open one itself."""
    return event.as_of_ns if event.final else event.bar.start_ns


def _name(model_set: ModelSet | None) -> str:
    return "the statistical forecaster" if model_set is None else f"model set {model_set.manifest.model_set}"
