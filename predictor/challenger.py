"""Which set is shown beside the one that serves: the challenger of the newest decision, once it is loaded."""

import logging
from collections.abc import Callable
from concurrent.futures import Future

from predictor.announced import Load
from predictor.artifacts import ModelSet
from predictor.background import in_background
from predictor.fetching import TRY_AGAIN_SECONDS
from predictor.live_edge import why_refused
from predictor.settings import PredictorSettings
from schemas.events import ModelEvent

_log = logging.getLogger(__name__)

#: Begins to load a set, and gives what will hold it.
Start = Callable[[Callable[[], ModelSet]], Future[ModelSet]]


class Challenger:
    """The challenger, through loading, waiting and leaving.

    Nothing that goes wrong here reaches the set that serves: a challenger that cannot be loaded is left out, said once,
    and tried again; one that was trained on bars still to be predicted is left out until the stream has passed them.

    Attributes:
        current: The set that may be shown now.
        share: Of the tickers, on which it is served and the other shown.
        problem: Why the challenger of the newest decision is not shown; None where it is, or there is none.
    """

    def __init__(self, settings: PredictorSettings, load: Load, start: Start = in_background) -> None:
        self.current: ModelSet | None = None
        self.share = 0.0
        self.problem: str | None = None
        self._settings = settings
        self._load = load
        self._start = start
        self._event: ModelEvent | None = None
        self._loading: Future[ModelSet] | None = None
        self._loaded: ModelSet | None = None
        self._try_at_seconds = 0.0

    def announce(self, event: ModelEvent) -> None:
        """Follow a decision; the set that was shown before is shown no more, unless it is the same."""
        wanted = event.challenger if event.challenger != event.serving else None
        known = self._loaded
        keeps = known is not None and known.whole and known.manifest.model_set == wanted
        self._event, self._loading = (None if wanted is None or keeps else event), None
        self.share = event.challenger_share
        self._try_at_seconds = 0.0
        if not keeps:
            self._loaded = None
            self._show(None, None)

    def follow(self, next_bar_ns: int | None, now_seconds: float) -> None:
        """Take a set that is loaded by now, and judge anew whether it may speak; to be called before each batch.

        Args:
            next_bar_ns: As `LiveEdge` says.
            now_seconds: On any clock that only goes forward.
        """
        if self._event is not None:
            self._advance(self._event, now_seconds)
        if self._loaded is not None:
            refused = why_refused(self._loaded, self._settings, next_bar_ns)
            self._show(None if refused else self._loaded, refused)

    def loaded(self, name: str | None) -> ModelSet | None:
        """Give the whole set of this name, if it is loaded here: a challenger that is promoted serves at once."""
        known = self._loaded
        return known if known is not None and known.whole and known.manifest.model_set == name else None

    def _advance(self, event: ModelEvent, now_seconds: float) -> None:
        if self._loading is None:
            if now_seconds >= self._try_at_seconds:
                self._loading = self._start(lambda: self._load(event))
            return
        if not self._loading.done():
            return
        loading, self._loading = self._loading, None
        error = loading.exception()
        if error is None:
            self._event, self._loaded = None, loading.result()
        else:
            self._try_at_seconds = now_seconds + TRY_AGAIN_SECONDS
            self._show(None, str(error))

    def _show(self, model_set: ModelSet | None, problem: str | None) -> None:
        if problem is not None and problem != self.problem:
            _log.warning("the challenger is left out: %s", problem)
        if model_set is not None and model_set is not self.current:
            _log.info("model set %s is shown beside the one that serves", model_set.manifest.model_set)
        self.current, self.problem = model_set, problem
