"""Models and samples, shared by the tests of this room."""

import pytest

from predictor.artifacts import ModelSet
from predictor.training.dataset import Dataset, dataset_from_bars
from predictor.training.fitting import Fit, FittedModel, Progress
from predictor.training.history import bars_before_start
from predictor.training.settings import TrainingSettings
from schemas.times import from_rfc3339
from tests.training import SMALL, Trained


@pytest.fixture(scope="session")
def model_set(trained: Trained) -> ModelSet:
    """Load the trained set."""
    return trained.load()


@pytest.fixture(scope="session")
def later() -> Dataset:
    """Give samples of the two years after the training's end, of all tickers that trade then."""
    dataset = dataset_from_bars(bars_before_start(TrainingSettings(_env_file=None)), "1d", (1, 5, 21))
    return dataset.rows(dataset.as_of_ns > from_rfc3339(SMALL["start"]))


@pytest.fixture(scope="session")
def fitted(later: Dataset) -> dict[str, FittedModel]:
    """Fit the models on a part of the later samples, for comparison with their exports."""
    from predictor.models.rules import NaiveForecaster, StatisticalMember
    from predictor.training.arima_fit import fit_arima
    from predictor.training.forest_fit import fit_forest
    from predictor.training.lstm_fit import fit_lstm  # imports TensorFlow
    from predictor.training.rule_fit import fit_rule
    from predictor.training.xgboost_fit import fit_xgboost

    few, progress = later.rows(slice(None, None, 2)), Progress(100)
    fitters: dict[str, Fit] = {
        "forest": fit_forest,
        "lstm": fit_lstm,
        "xgboost": fit_xgboost,
        "arima": fit_arima,
        "naive": fit_rule(NaiveForecaster),
        "statistical": fit_rule(StatisticalMember),
    }
    return {name: fit(few, 3, progress) for name, fit in fitters.items()}
