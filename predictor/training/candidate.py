"""A candidate: fitted without the newest bars, compared on them with the champion, and fitted on all if promoted."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from msgspec import structs

from ingestor.sources.bars import BarColumns
from predictor.manifest import Manifest, TrainingOptions, fits
from predictor.parameters import Parameters
from predictor.training.comparison import COMPARED_DATES
from predictor.training.dataset import dataset_from_bars
from predictor.training.evidence import LiveWindow, live_window
from predictor.training.pairs import Pairs
from predictor.training.promotion import Judgment, judge_change, judge_refresh
from predictor.training.settings import TrainingSettings
from predictor.training.split import TooFewSamplesError
from predictor.training.tell import Tell
from predictor.training.trained_set import TrainedSet, as_served
from predictor.training.trial import bars_through, cut_ns, forecasts_after, newest_end_ns, pairs_with
from predictor.training.workshop import REAL, Workshop
from schemas.events import Outcome
from schemas.times import to_rfc3339

#: What the comparison takes of the time; the rest is the fit on everything.
_COMPARING = 0.45


@dataclass(frozen=True)
class Tried:
    """What came of a try.

    Attributes:
        trained: Fitted on all bars, where the judgment is to promote; else None.
    """

    judgment: Judgment
    trained: TrainedSet | None = None


def try_refresh(
    settings: TrainingSettings,
    champion: Manifest,
    outcomes: Iterable[Outcome],
    progress: Tell,
    workshop: Workshop = REAL,
) -> Tried:
    """Try the champion's own recipe (parameters, seed, window) on later data.

    Args:
        settings: Where bars come from.
        champion: The set that serves.
        outcomes: As `predictor.training.evidence.read_live` gives them.
        progress: Told how much is done, from 0 to 1, and what.
        workshop: Other than the real one in tests.

    Raises:
        RetryError: The broker does not answer.
        StopAndSayError: The source cannot be read, or a model cannot be exported.
    """
    return _Try(settings, champion, champion.options, judge_refresh, progress, workshop).run(outcomes)


def try_change(
    settings: TrainingSettings,
    champion: Manifest,
    parameters: Parameters,
    outcomes: Iterable[Outcome],
    progress: Tell,
    workshop: Workshop = REAL,
    *,
    searched_through_ns: int = 0,
) -> Tried:
    """Try other parameters; arguments and errors as in `try_refresh`.

    Args:
        searched_through_ns: End of the last bar that the search of these parameters has seen: like a fit it must know
            nothing of the dates that are compared.

    To promote is here to show the set in the champion's shadow: what it does there decides
    (`predictor.training.promotion.judge_shadow`).
    """
    recipe = structs.replace(champion.options, parameters=parameters)
    return _Try(settings, champion, recipe, judge_change, progress, workshop, searched_through_ns).run(outcomes)


@dataclass(frozen=True)
class _Try:
    """One try.

    Attributes:
        recipe: Of the candidate, but for its `before_ns`, which is the end of what a fit may know.
    """

    settings: TrainingSettings
    champion: Manifest
    recipe: TrainingOptions
    judge: Callable[[Pairs], Judgment]
    progress: Tell
    workshop: Workshop
    searched_through_ns: int = 0

    def run(self, outcomes: Iterable[Outcome]) -> Tried:
        champion, settings = self.champion, self.settings
        if (unfit := fits(champion, interval=settings.interval, horizons=settings.horizons)) is not None:
            return _refused(f"the set that serves does not fit: {unfit}", dates=0)
        window = live_window(outcomes, champion)
        if window.dates < COMPARED_DATES:
            reason = f"{champion.model_set} has outcomes of {window.dates} dates, and {COMPARED_DATES} are needed"
            return _refused(reason, window.dates)
        try:
            return self._compare(window)
        except TooFewSamplesError as error:
            return _refused(str(error), window.dates)

    def _compare(self, window: LiveWindow) -> Tried:
        champion, interval = self.champion, self.champion.interval
        self.progress(0.0, "reading bars")
        bars = self.workshop.bars(self.settings)
        cut, now_ns = cut_ns(bars, interval, window.first_ns, champion.horizons[-1]), newest_end_ns(bars, interval)
        if cut is None or now_ns is None:
            return _refused("the bars begin too late for a fit before the dates that are compared", window.dates)
        if self.searched_through_ns > cut:
            seen, least = to_rfc3339(self.searched_through_ns), to_rfc3339(cut)
            reason = f"the parameters were searched on bars through {seen}, and what is compared begins after {least}"
            return _refused(reason, window.dates)
        known = self._fit(bars_through(bars, interval, cut), cut, 0.0, _COMPARING, weighed_only=True)
        forecasts = forecasts_after(as_served(known), bars, cut, now_ns)
        judgment = self.judge(pairs_with(forecasts, window, champion))
        if not judgment.promote:
            return Tried(judgment)
        return Tried(judgment, self._fit(bars, now_ns, _COMPARING, 1.0))

    def _fit(
        self, bars: Mapping[str, BarColumns], end_ns: int, begin: float, end: float, *, weighed_only: bool = False
    ) -> TrainedSet:
        """Fit on all of these bars, the last of which ends at `end_ns`; it takes the progress from begin to end."""
        champion, recipe = self.champion, structs.replace(self.recipe, before_ns=end_ns)
        trained = self.workshop.training()(
            dataset_from_bars(bars, champion.interval, champion.horizons, recipe.window_bars),
            champion.interval,
            recipe,
            self.workshop.now_ns(),
            weighed_only=weighed_only,
            tell=lambda share, what: self.progress(begin + (end - begin) * share, what),
        )
        self.progress(end, "fitted")
        return trained


def _refused(reason: str, dates: int) -> Tried:
    return Tried(Judgment(False, f"cannot be compared: {reason}", {"dates": float(dates)}))
