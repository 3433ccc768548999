"""Which model set answers: the newest announced one that loads, fits and was not trained on bars still to come."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from predictor.announced import Load, load_checked
from predictor.artifacts import ModelSet, UnfitModelSetError
from predictor.fetching import TRY_AGAIN_SECONDS
from predictor.live_edge import LiveEdge, why_refused
from predictor.settings import PredictorSettings
from schemas.events import Features, ModelEvent
from schemas.log_events import LogEvent, about

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Pending:
    """A decision whose set cannot be loaded yet, why, and when to try again: its folder may come after its event."""

    event: ModelEvent
    reason: str
    try_at_seconds: float


class Serving:
    """The serving set, and one that waits for the stream to pass what it was trained on.

    A set whose `train_end` is after the start of the next bar to be predicted live (`LiveEdge`) was trained on bars
    that are still to be predicted: it is refused, the one before it stays, and it gets its turn when the stream has
    passed its `train_end`. Before the first live event a set is trusted.

    While the newest decision cannot be followed, the set that serves goes on; where none does, the newest earlier
    decision that can be followed holds. So a predictor that was started again answers as one that never stopped.
    """

    def __init__(self, settings: PredictorSettings, load: Load, clock: Callable[[], float] = time.monotonic) -> None:
        self.current: ModelSet | None = None
        self.edge = LiveEdge()
        self._settings = settings
        self._load = load
        self._clock = clock
        self._waiting: ModelSet | None = None
        self._pending: _Pending | None = None
        self._earlier: Sequence[ModelEvent] = ()

    @property
    def waiting(self) -> ModelSet | None:
        """Give the set that waits, if one does."""
        return self._waiting

    @property
    def unloadable(self) -> str | None:
        """Say why the newest decision's set cannot be loaded, if it cannot."""
        return None if self._pending is None else self._pending.reason

    def announce(self, event: ModelEvent, earlier: Sequence[ModelEvent] = ()) -> None:
        """Follow a decision; what cannot serve changes nothing but the log.

        Args:
            earlier: The decisions before it, newest first.
        """
        self._pending, self._earlier = None, earlier
        if event.serving is None:
            self._waiting = None
            self._swap(None)
        elif self._serves(event):
            self._waiting = None
        else:
            self._follow(event)

    def try_again(self) -> None:
        """Try a set again that could not be loaded, `TRY_AGAIN_SECONDS` after the last attempt ended."""
        if self._pending is not None and self._clock() >= self._pending.try_at_seconds:
            self._follow(self._pending.event)

    def _serves(self, event: ModelEvent) -> bool:
        current = self.current
        return current is not None and current.manifest.model_set == event.serving and current.whole

    def _follow(self, event: ModelEvent) -> None:
        try:
            announced = load_checked(self._load, event)
        except UnfitModelSetError as error:
            reason = str(error)
            if reason != self.unloadable:
                self._go_on_with(self.current or self._before(), f"refused: {reason}")
            elif self.current is None:
                self._swap(self._before())  # it may lie in the artifact store, and have come meanwhile
            self._pending = _Pending(event, reason, self._clock() + TRY_AGAIN_SECONDS)
            return
        self._pending = None
        for name, why in announced.refused.items():
            said = about(LogEvent.FALLBACK, of="member", member=name, began=True, reason=why)
            _log.warning("model set %s serves without %s: %s", event.serving, name, why, extra=said)
        if (refusal := self._refusal(announced)) is None:
            self._waiting = None
            self._swap(announced)
        else:
            self._waiting = announced
            self._go_on_with(self.current or self._before(), f"refused for now: {refusal}")

    def _go_on_with(self, model_set: ModelSet | None, refusal: str) -> None:
        said = about(LogEvent.FALLBACK, of="model_set", began=True, reason=refusal)
        _log.warning("%s; keeping %s", refusal, _name(model_set), extra=said)
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
        self.edge.observe(events, caught_up=caught_up)
        if self._waiting is not None and caught_up and self._refusal(self._waiting) is None:
            self._swap(self._waiting)
            self._waiting = None
        elif self.current is not None and (refusal := self._refusal(self.current)) is not None:
            self._waiting = self.current
            self._go_on_with(self._before(), f"refused for now: {refusal}")

    def _refusal(self, model_set: ModelSet) -> str | None:
        return why_refused(model_set, self._settings, self.edge.next_bar_ns)

    def _swap(self, model_set: ModelSet | None) -> None:
        if _name(model_set) != _name(self.current):
            name = None if model_set is None else model_set.manifest.model_set
            said = about(LogEvent.MODEL_SET, model_set=name, statistical=model_set is None)
            _log.info("%s answers from now on", _name(model_set), extra=said)
        self.current = model_set


def _name(model_set: ModelSet | None) -> str:
    return "the statistical forecaster" if model_set is None else f"model set {model_set.manifest.model_set}"
