"""Fits the pooled ARIMA."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec
import numpy as np
from statsmodels.tsa.arima.model import ARIMA

from predictor.models.arima import ArimaCoefficients, ArimaForecaster
from predictor.models.base import Batch, FloatArray
from predictor.training.arima_order import Order, best_order
from predictor.training.dataset import TARGET_CLIP, Dataset
from predictor.training.fitting import Progress
from predictor.training.importance import LAGGED_RETURNS, Input

#: Missing values between two runs: after so many the filter knows nothing of the run before.
_GAP = 50
_FEWEST_VALUES = 30


@dataclass(frozen=True)
class FittedArima:
    """Coefficients for all tickers, of returns over volatility."""

    name: ClassVar[str] = "arima"
    file: ClassVar[str] = "arima.json"
    coefficients: ArimaCoefficients
    horizons: tuple[int, ...]
    progress: Progress

    @property
    def inputs(self) -> dict[str, Input]:
        """The newest returns one by one, and the others together."""
        return LAGGED_RETURNS

    def predict_targets(self, batch: Batch) -> FloatArray:
        """Give scaled targets, (n, horizons)."""
        return ArimaForecaster(self.export(), self.horizons, (1.0,) * len(self.horizons)).targets(batch)

    def refit(self, dataset: Dataset) -> "FittedArima":
        """Fit again from scratch, the order included."""
        return fit_arima(dataset, 0, self.progress)

    def export(self) -> bytes:
        """Give the content of its file."""
        return msgspec.json.encode(self.coefficients)


def fit_arima(dataset: Dataset, _seed: int, progress: Progress) -> FittedArima:
    """Choose the order, and fit the coefficients by the exact likelihood of all tickers' returns.

    Returns are not differenced: d is 0. Fewer than 30 of them give a constant of 0, which is no change.
    """
    runs = standardised_runs(dataset)
    coefficients = ArimaCoefficients(ar=[], ma=[], mean=0.0)
    if sum(map(len, runs)) >= _FEWEST_VALUES:
        coefficients = fit_coefficients(runs, best_order(runs))
    progress.step("arima")
    return FittedArima(coefficients, dataset.horizons, progress)


def standardised_runs(dataset: Dataset) -> list[FloatArray]:
    """Give each return over the volatility that was known one bar before, clipped like the targets.

    One run a ticker and stretch without a gap, oldest first. Nothing in them is later than the last sample's own time.
    """
    return [run for ticker in np.unique(dataset.tickers) for run in _runs_of(dataset.rows(dataset.tickers == ticker))]


def _runs_of(samples: Dataset) -> list[FloatArray]:
    """Cut one ticker's returns where a sample does not follow the one before: its last return but one is another."""
    returns, volatility = samples.batch.returns, samples.batch.volatility
    scaled = np.clip(returns[1:, -1] / volatility[:-1], -TARGET_CLIP, TARGET_CLIP)
    broken = np.flatnonzero(returns[1:, -2] != returns[:-1, -1])
    pieces = np.split(scaled, broken)
    # The first value after a break lies over the volatility of another time.
    return [piece for piece in (pieces[0], *(each[1:] for each in pieces[1:])) if len(piece)]


def fit_coefficients(runs: Sequence[FloatArray], order: Order) -> ArimaCoefficients:
    """Fit by the exact Gaussian likelihood of one long series: the runs, with missing values between them."""
    model = ARIMA(chained(runs), order=(order.ar, 0, order.ma), trend="c", concentrate_scale=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a start at zeros, or a last digit that the optimiser did not find
        fitted = model.fit(return_params=True)  # no covariances of the parameters: nobody asks for them
    values = dict(zip(model.param_names, np.asarray(fitted).tolist(), strict=True))
    return ArimaCoefficients(
        ar=[values[f"ar.L{lag}"] for lag in range(1, order.ar + 1)],
        ma=[values[f"ma.L{lag}"] for lag in range(1, order.ma + 1)],
        mean=values["const"],
    )


def chained(runs: Sequence[FloatArray]) -> FloatArray:
    """Give one series of all runs, with so many missing values between them that none knows of another."""
    gap = np.full(_GAP, np.nan)
    parts = [part for run in runs for part in (run, gap)]
    return np.concatenate(parts[:-1])
