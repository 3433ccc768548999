"""The training's own code with a member that learns nothing and remembers what its fits were given."""

from collections.abc import Callable
from typing import Any

from predictor.models.rules import NaiveForecaster
from predictor.training.audit.findings import digest, digests_of
from predictor.training.audit.no_progress import NoProgress
from predictor.training.dataset import Dataset
from predictor.training.fitting import FittedModel, Progress
from predictor.training.member_fit import TrainingData, train_member
from predictor.training.recipes import Recipe
from predictor.training.rule_fit import FittedRule

#: Runs a member through folds, hold-out and refit.
TrainMember = Callable[[str, Recipe, TrainingData, int, Progress], object]
#: Gives the scaling of a fit by its samples; the second argument is there for whoever wants to look further.
ScalerOf = Callable[[Dataset, TrainingData], tuple[Any, Any]]
#: By name, digests of what a fit was given and of what it scales by.
Seen = dict[str, str]


def seen_by_fits(data: TrainingData, seed: int, train: TrainMember, scaler_of: ScalerOf) -> list[Seen]:
    """Say what each fit has seen: those of the folds in order, then the one before the hold-out."""
    seen: list[Seen] = []

    def fit(samples: Dataset, _seed: int, progress: Progress) -> FittedModel:
        seen.append(digests_of(samples) | {"scaler": digest(*scaler_of(samples, data))})
        return FittedRule(NaiveForecaster, samples.horizons, progress)

    train("spy", Recipe(0.0, fit, fit), data, seed, NoProgress())
    return seen


def own_training(name: str, recipe: Recipe, data: TrainingData, seed: int, progress: Progress) -> object:
    """Train as the product does."""
    return train_member(name, recipe, data, seed, progress)
