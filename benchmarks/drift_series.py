"""What the drift tests are tuned on: one value a date, from forecasts that had not seen the date.

As in training: the pair of the ensemble under its prior weights, times the slope that outcomes had on it out of fold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingestor.sources.bars import BarColumns
from predictor.models.base import FloatArray
from predictor.parameters import Parameters
from predictor.training.calibrate import forecast_slopes
from predictor.training.dataset import Dataset, dataset_from_bars
from predictor.training.fitting import FittedModel, Progress
from predictor.training.member_fit import TrainingData, training_data
from predictor.training.recipes import Recipe, recipes

HORIZONS = (1, 5, 21)
_SEED = 7
_PAIR = ("forest", "lstm")

Bars = Mapping[str, BarColumns]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """The fitted pair, and the first moment that it has not seen; another fit may answer from a later moment on."""

    from_ns: int
    members: Sequence[tuple[float, FittedModel]]

    def targets(self, dataset: Dataset) -> FloatArray:
        """Give the ensemble's scaled targets, (n, horizons), without slope."""
        parts = [weight * model.predict_targets(dataset.batch) for weight, model in self.members]
        total: FloatArray = np.sum(parts, axis=0)
        return total


@dataclass(frozen=True)
class Forecaster:
    """Fits in the order of their time, and the slope."""

    fits: Sequence[Fit]
    slope: float

    def scaled(self, dataset: Dataset) -> Doubles:
        """Give forecasts at one bar over the volatility, (n,); NaN before the first fit."""
        found = np.full(len(dataset), np.nan)
        ends = [fit.from_ns for fit in self.fits[1:]] + [np.iinfo(np.int64).max]
        for fit, end_ns in zip(self.fits, ends, strict=True):
            rows = (dataset.as_of_ns >= fit.from_ns) & (dataset.as_of_ns < end_ns)
            if rows.any():
                found[rows] = self.slope * fit.targets(dataset.rows(rows))[:, 0]
        return found


@dataclass(frozen=True)
class Series:
    """One value a date, in the order of the dates, (dates,) each.

    Attributes:
        dates_ns: The ends of the bars that were forecast.
        squared_errors: Mean over the tickers, in log return.
        losses: The squared error less that of no change, in units of the volatility squared.
    """

    dates_ns: NDArray[np.int64]
    squared_errors: Doubles
    losses: Doubles


def series_of(dataset: Dataset, scaled_forecasts: Doubles) -> Series:
    """Average over the tickers of each date; rows without a forecast are left out."""
    known = np.isfinite(scaled_forecasts)
    actual, volatility = dataset.log_returns[known, 0], dataset.batch.volatility[known]
    scaled, forecast = actual / volatility, scaled_forecasts[known]
    dates, place, count = np.unique(dataset.label_end_ns[known], return_inverse=True, return_counts=True)
    squares = np.bincount(place, (actual - forecast * volatility) ** 2) / count
    losses = np.bincount(place, (scaled - forecast) ** 2 - scaled**2) / count
    return Series(dates, squares, losses)


def one_bar_ahead(bars: Bars) -> Dataset:
    """Give a sample of every bar that is followed by another."""
    return dataset_from_bars(bars, "1d", (1,))


def out_of_fold(bars: Bars) -> Forecaster:
    """Fit the pair on the folds of the training, and for the hold-out on what lies before it."""
    data = training_data(dataset_from_bars(bars, "1d", HORIZONS))
    fits = fits_of(data)
    return Forecaster(fits, _slope(data, fits))


def fits_of(data: TrainingData) -> list[Fit]:
    """Fit the pair for each fold on what lies before it, and for the hold-out."""
    splits = [*data.folds, data.hold_out]
    pair = recipes(Parameters())
    progress = Progress(len(splits) * 11)
    fits = [
        Fit(
            int(split.after.as_of_ns.min()),
            [(pair[name].prior_weight, pair[name].fit_fold(split.before, _SEED, progress)) for name in _PAIR],
        )
        for split in splits
    ]
    progress.close()
    return fits


def as_trained(bars: Bars) -> Forecaster:
    """Fit the pair on all bars as `predictor train` does; it answers for whatever comes later."""
    slope = out_of_fold(bars).slope
    data = training_data(dataset_from_bars(bars, "1d", HORIZONS))
    progress = Progress(60)
    pair = [_refitted(recipe, data, progress) for name, recipe in recipes(Parameters()).items() if name in _PAIR]
    progress.close()
    return Forecaster([Fit(int(data.samples.label_end_ns.max()) + 1, pair)], slope)


def _refitted(recipe: Recipe, data: TrainingData, progress: Progress) -> tuple[float, FittedModel]:
    return recipe.prior_weight, recipe.fit(data.hold_out.before, _SEED, progress).refit(data.samples)


def _slope(data: TrainingData, fits: Iterable[Fit]) -> float:
    """Give the slope of what happened on what was forecast in the folds; the hold-out does not count."""
    pairs = [
        (fit.targets(fold.after)[:, :1], fold.after.targets().astype(np.float64)[:, :1])
        for fit, fold in zip(fits, data.folds, strict=False)
    ]
    forecasts, outcomes = (np.concatenate(each) for each in zip(*pairs, strict=True))
    [slope] = forecast_slopes(forecasts, outcomes)
    return slope
