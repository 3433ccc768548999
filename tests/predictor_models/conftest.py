"""One small training, shared by the tests of this room."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from predictor.artifacts import ModelSet, load_model_set
from predictor.training.dataset import Dataset, dataset_from_bars
from predictor.training.fitting import FittedModel, Progress
from predictor.training.history import bars_before_start
from predictor.training.settings import TrainingSettings
from predictor.training.tasks import train_and_save
from schemas.times import from_rfc3339

SMALL: dict[str, Any] = {"tickers": ("AAPL", "IBM", "MSFT"), "training_window_bars": 700, "start": "2008-01-02"}


@dataclass(frozen=True)
class Trained:
    """A saved set, and the settings that it was trained with."""

    settings: TrainingSettings
    folder: Path

    def load(self) -> ModelSet:
        return load_model_set(self.folder, interval=self.settings.interval, horizons=self.settings.horizons)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train a whole set once: three tickers, 700 days before 2008."""
    settings = TrainingSettings(_env_file=None, models_directory=tmp_path_factory.mktemp("models"), **SMALL)
    return Trained(settings, train_and_save(settings, announcing=False))


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
    """Fit both models on a part of the later samples, for comparison with their exports."""
    from predictor.training.forest_fit import fit_forest
    from predictor.training.lstm_fit import fit_lstm  # imports TensorFlow

    few, progress = later.rows(slice(None, None, 2)), Progress(100)
    return {"forest": fit_forest(few, 3, progress), "lstm": fit_lstm(few, 3, progress)}
