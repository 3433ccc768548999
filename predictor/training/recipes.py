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


def _recipe(prior_weight: float, fit: Fit, fit_fold: Fit | None = None) -> Recipe:
    return Recipe(prior_weight, fit, fit if fit_fold is None else fit_fold)


def recipes(parameters: Parameters) -> dict[str, Recipe]:
    """Give the recipes of all members, by name."""
    return {
        "forest": _recipe(0.4, partial(fit_forest, parameters=parameters.forest)),
        "lstm": _recipe(0.6, fit_lstm, fit_lstm_fold),
        "xgboost": _recipe(0.0, partial(fit_xgboost, parameters=parameters.xgboost)),
        "arima": _recipe(0.0, fit_arima),
        "naive": _recipe(0.0, fit_rule(NaiveForecaster)),
        "statistical": _recipe(0.0, fit_rule(StatisticalMember)),
    }
