"""How far the live stream is, and which sets it makes unfit: those that were trained on bars still to be predicted."""

from collections.abc import Iterable

from predictor.artifacts import ModelSet
from predictor.manifest import fits
from predictor.settings import PredictorSettings
from schemas.events import Features, Origin
from schemas.times import to_rfc3339


class LiveEdge:
    """The start of the next bar to be predicted live.

    It begins where the newest live final event ends, or where the newest open bar starts. It is known only after the
    predictor has caught up with the log (while it replays old events, those up to a set's `train_end` are simply in the
    sample), and a warm-up, which is the past, played before the live bars, tells nothing of it.
    """

    def __init__(self) -> None:
        self._next_live_ns: int | None = None
        self._caught_up = False

    @property
    def next_bar_ns(self) -> int | None:
        """Give it; None where it is not known."""
        return self._next_live_ns if self._caught_up else None

    def observe(self, events: Iterable[Features], *, caught_up: bool) -> None:
        """Look at new events before they are predicted."""
        starts = [_next_bar_ns(event) for event in events if event.origin is not Origin.WARM_UP]
        known = [] if self._next_live_ns is None else [self._next_live_ns]
        self._next_live_ns = max([*known, *starts], default=None)
        self._caught_up = caught_up


def why_refused(model_set: ModelSet, settings: PredictorSettings, next_bar_ns: int | None) -> str | None:
    """Say why a set cannot speak now; None where it can."""
    manifest = model_set.manifest
    reason = fits(manifest, interval=settings.interval, horizons=settings.horizons, before_ns=next_bar_ns)
    trained = f"model set {manifest.model_set}, trained through {to_rfc3339(manifest.train_end_ns)}"
    return None if reason is None else f"{trained}: {reason}"


def _next_bar_ns(event: Features) -> int:
    """Give the start of the bar that an event predicts first: the one after a closed bar, or the open one itself."""
    return event.as_of_ns if event.final else event.bar.start_ns
