"""One member through the whole training: folds, hold-out, and the refit that serves."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from predictor.models.base import FloatArray
from predictor.training.dataset import Dataset
from predictor.training.fitting import Progress, checked_export
from predictor.training.folds import expanding_folds
from predictor.training.importance import permutation_importance
from predictor.training.recipes import Recipe
from predictor.training.split import Split, hold_out_split


@dataclass(frozen=True)
class TrainingData:
    """All samples, and how they are split: nobody's fit or calibration has seen what it is scored on.

    Attributes:
        folds: Of what lies before the hold-out.
    """

    samples: Dataset
    hold_out: Split
    folds: Sequence[Split]

    @property
    def out_of_fold(self) -> Dataset:
        """Give the samples that the folds predict, in order."""
        before = self.hold_out.before
        return before.rows(before.as_of_ns >= self.folds[0].after.as_of_ns.min())


@dataclass(frozen=True)
class TrainedMember:
    """A member, what it said of samples that it had not seen (scaled targets), and the file of its last fit.

    Attributes:
        out_of_fold: By fits on what lay before each fold.
        held_out: By a fit on all that lay before the hold-out.
        content: Of a fit on everything.
    """

    name: str
    file: str
    prior_weight: float
    out_of_fold: FloatArray
    held_out: FloatArray
    content: bytes
    seconds: float
    feature_importance: dict[str, float]


def training_data(samples: Dataset) -> TrainingData:
    """Split the samples.

    Raises:
        TooFewSamplesError: There is not enough history.
    """
    split = hold_out_split(samples)
    return TrainingData(samples, split, expanding_folds(split.before))


def train_member(name: str, recipe: Recipe, data: TrainingData, seed: int, progress: Progress) -> TrainedMember:
    """Fit a member on each fold, before the hold-out, and on everything.

    Raises:
        ExportDiffersError: What would serve is not what was fitted.
    """
    started = time.perf_counter()
    out_of_fold = [
        recipe.fit_fold(fold.before, seed, progress).predict_targets(fold.after.batch) for fold in data.folds
    ]
    model = recipe.fit(data.hold_out.before, seed, progress)
    held_out = model.predict_targets(data.hold_out.after.batch)
    importance = permutation_importance(model.predict_targets, model.inputs, data.hold_out.after, seed)
    model = model.refit(data.samples)
    content = checked_export(model, data.samples)
    progress.step("export")
    return TrainedMember(
        name=name,
        file=model.file,
        prior_weight=recipe.prior_weight,
        out_of_fold=np.concatenate(out_of_fold),
        held_out=held_out,
        content=content,
        seconds=time.perf_counter() - started,
        feature_importance=importance,
    )
