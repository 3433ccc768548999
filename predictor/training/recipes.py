"""The members of a set, their weights before any score has come in, and how each is fitted."""

from dataclasses import dataclass
from functools import partial

from predictor.models.rules import NaiveForecaster, StatisticalMember
from predictor.parameters import Parameters
from predictor.training.arima_fit import fit_arima
from predictor.training.fitting import Fit
from predictor.training.forest_fit import fit_forest
from predictor.training.lstm_fit import fit_lstm, fit_lstm_fold
from predictor.training.rule_fit import fit_rule
from predictor.training.xgboost_fit import fit_xgboost


@dataclass(frozen=True)
class Recipe:
    """How a member comes to be.

    Attributes:
        prior_weight: 0: shown and scored, outside the ensemble until it is promoted.
        fit_fold: In place of `fit` where only out-of-fold predictions are wanted: cheaper.
    """

    prior_weight: float
    fit: Fit
    fit_fold: Fit


def recipes(parameters: Parameters) -> dict[str, Recipe]:
    """Give the recipes of all members, by name."""
    fits: dict[str, tuple[Fit, Fit | None]] = {
        "forest": (partial(fit_forest, parameters=parameters.forest), None),
        "lstm": (fit_lstm, fit_lstm_fold),
        "xgboost": (partial(fit_xgboost, parameters=parameters.xgboost), None),
        "arima": (fit_arima, None),
        "naive": (fit_rule(NaiveForecaster), None),
        "statistical": (fit_rule(StatisticalMember), None),
    }
    shares = parameters.weights.shares()
    return {name: Recipe(shares[name], fit, fit_fold or fit) for name, (fit, fit_fold) in fits.items()}
