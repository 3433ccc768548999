"""One small training for all tests that need real models. It begins with the first test, and goes on beside others."""

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.children import start_child, stop_child
from predictor.artifacts import ModelSet, load_model_set
from predictor.training.settings import TrainingSettings
from schemas.settings import ENV_PREFIX
from tests.processes import clean_environment

DEADLINE_SECONDS = 600.0
#: Three tickers, 700 days before 2008. Who wants the set found on disk must ask for the same window.
WINDOW_BARS = 700
SMALL: dict[str, Any] = {
    "tickers": ("AAPL", "IBM", "MSFT"),
    "training_window_bars": WINDOW_BARS,
    "start": "2008-01-02",
}


@dataclass(frozen=True)
class Trained:
    """A saved set, and the settings that it was trained with."""

    settings: TrainingSettings
    folder: Path

    def load(self) -> ModelSet:
        """Load it."""
        return load_model_set(self.folder, interval=self.settings.interval, horizons=self.settings.horizons)


class Training:
    """`predictor.training train` as a process, which gives way to the tests that run meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._models, self._log = folder / "models", folder / "training.log"
        self._settings = TrainingSettings(_env_file=None, models_directory=self._models, **SMALL)
        given = {**SMALL, "tickers": ",".join(SMALL["tickers"]), "models_directory": self._models}
        self._process = start_child(
            [sys.executable, "-m", "predictor.training", "train"],
            log=self._log,
            environment=clean_environment() | {f"{ENV_PREFIX}{n.upper()}": str(value) for n, value in given.items()},
            folder=folder,
        )
        self._be_nice(10)

    def result(self) -> Trained:
        """Wait for the set."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(DEADLINE_SECONDS)
        if self._process.poll() != 0:
            pytest.fail(f"the training came to nothing; it printed:\n{self._log.read_text(errors='replace')}", False)
        (folder,) = self._models.iterdir()
        return Trained(self._settings, folder)

    def end(self) -> None:
        """End it, if nobody waited for it."""
        stop_child(self._process)

    def _be_nice(self, niceness: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, niceness)
