"""What is audited: on which bars, with which models, and how much of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from predictor.manifest import TrainingOptions
from predictor.parameters import ForestParameters, Parameters, XgboostParameters
from predictor.training.audit.training import History
from predictor.training.audit.world import Bars, World
from predictor.training.dataset import Dataset
from predictor.training.fitting import Fit
from predictor.training.history import bars_before_start
from predictor.training.parameter_file import read_parameters
from predictor.training.pipeline import train
from predictor.training.recipes import Recipe, recipes
from predictor.training.settings import TrainingSettings
from predictor.training.trained_set import TrainedSet
from schemas.errors import StopAndSayError
from schemas.times import to_rfc3339

_QUICK_TICKERS, _QUICK_BARS = 2, 700
_QUICK_PARAMETERS = Parameters(forest=ForestParameters(n_estimators=20), xgboost=XgboostParameters(rounds=20))
_QUICK_CUTS, _FULL_CUTS = 2, 4
_LSTM = "lstm"
#: Members whose fits read labels and inputs that could leak; the others learn no label.
_LEARN_LABELS = ("forest", "xgboost", _LSTM)


@dataclass(frozen=True)
class Plan:
    """All that the checks need.

    Attributes:
        history: Gives the bars of the source that end by a time, by the product's own hand.
        fits: Of the members that learn from labels, by name.
        lstm: The fit whose network is looked into; None where there is none.
        cuts: Dates at which the future is cut off.
    """

    world: World
    history: History
    chosen: Mapping[str, Recipe]
    fits: Mapping[str, Fit]
    lstm: Fit | None
    options: TrainingOptions
    cuts: int

    def train(self, samples: Dataset) -> TrainedSet:
        """Train a set as the product does, at no time of any clock."""
        return train(samples, self.world.interval, self.options, 0, chosen=self.chosen)

    def train_set(self, bars: Bars) -> TrainedSet:
        """Likewise, on bars."""
        return self.train(self.world.samples_of(bars))


def plan_of(settings: TrainingSettings, *, quick: bool) -> Plan:
    """Load the bars and say what is done with them.

    Args:
        quick: Two tickers, the last 700 bars, small trees and no LSTM.

    Raises:
        StopAndSayError: There are no bars, or the source cannot be read.
    """
    bars = bars_before_start(settings)
    bars = {ticker: columns for ticker, columns in bars.items() if len(columns)}
    if not bars:
        raise StopAndSayError(f"{settings.source} has no bars before the end of the audit: move it with --to")
    kept = _last_bars(bars) if quick else (lambda all_of_them: all_of_them)
    world = World(kept(bars), settings.interval, settings.horizons, settings.training_seed)
    parameters = _QUICK_PARAMETERS if quick else read_parameters(settings.training_parameters)
    chosen = {name: recipe for name, recipe in recipes(parameters).items() if not (quick and name == _LSTM)}
    return Plan(
        world=world,
        history=lambda end_ns: kept(_bars_through(settings, end_ns)),
        chosen=chosen,
        fits={name: chosen[name].fit_fold for name in _LEARN_LABELS if name in chosen},
        lstm=chosen[_LSTM].fit_fold if _LSTM in chosen else None,
        options=TrainingOptions(
            source=settings.source,
            before_ns=int(world.ends_ns()[-1]),
            window_bars=None,
            seed=settings.training_seed,
            parameters=parameters,
        ),
        cuts=_QUICK_CUTS if quick else _FULL_CUTS,
    )


def _bars_through(settings: TrainingSettings, end_ns: int) -> Bars:
    return bars_before_start(settings.model_copy(update={"start": to_rfc3339(end_ns)}))


def _last_bars(bars: Bars) -> Callable[[Bars], Bars]:
    """Give what keeps the bars of the tickers with the longest history, from so many before the end on."""
    longest = sorted(bars, key=lambda ticker: (-len(bars[ticker]), ticker))[:_QUICK_TICKERS]
    first_ns = min(int(bars[ticker].start_ns[-_QUICK_BARS:][0]) for ticker in longest)

    def kept(those: Bars) -> Bars:
        return {ticker: those[ticker].between(first_ns, None) for ticker in sorted(longest) if ticker in those}

    return kept
