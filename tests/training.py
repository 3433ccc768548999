"""One small training for all tests that need real models. It begins with the first test, and goes on beside others."""

import os
import runpy
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
from schemas.broker import wait_until
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
    """`predictor.training train` as a process, which gives way to the tests that run meanwhile.

    Of several pytest processes that name the same folder, the first one starts it, and all get its result.
    """

    def __init__(self, folder: Path, command: str = "train") -> None:
        self._models, self._log, self._code = folder / "models", folder / "training.log", folder / "exit-code"
        self._settings = TrainingSettings(_env_file=None, models_directory=self._models, **SMALL)
        self._process: subprocess.Popen[bytes] | None = None
        with suppress(FileExistsError):
            folder.mkdir()
            self._process = self._start(folder, command)

    def _start(self, folder: Path, command: str) -> "subprocess.Popen[bytes]":
        given = {**SMALL, "tickers": ",".join(SMALL["tickers"]), "models_directory": self._models}
        process = start_child(
            [sys.executable, "-m", "tests.training", str(self._code), command],
            log=self._log,
            environment=clean_environment() | {f"{ENV_PREFIX}{n.upper()}": str(value) for n, value in given.items()},
            folder=folder,
        )
        with suppress(ProcessLookupError, PermissionError):
            os.setpriority(os.PRIO_PROCESS, process.pid, 10)
        return process

    def result(self) -> Trained:
        """Wait for the set."""
        with suppress(TimeoutError):
            wait_until(self._has_ended, seconds=DEADLINE_SECONDS, what="the end of the training")
        if not self._code.exists() or self._code.read_text() != "0":
            pytest.fail(f"the training came to nothing; it printed:\n{self._log.read_text(errors='replace')}", False)
        (folder,) = (path.parent for path in self._models.glob("*/manifest.json"))  # the artifacts lie beside it
        return Trained(self._settings, folder)

    def _has_ended(self) -> bool:
        return self._code.exists() or (self._process is not None and self._process.poll() is not None)

    def end(self, *, others_may_wait: bool = False) -> None:
        """End it if we started it; where others may wait for it, not before its time."""
        if self._process is None:
            return
        if others_may_wait:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(DEADLINE_SECONDS)
        stop_child(self._process)


def _run_and_tell(code_file: Path, command: str) -> None:
    """Be `python -m predictor.training COMMAND`, and leave the exit code to all who wait for it."""
    code: object = 1
    sys.argv = ["predictor.training", command, "--seed", "7"]  # what a command cannot say: here, whatever trainer runs
    try:
        runpy.run_module("predictor.training", run_name="__main__")
    except SystemExit as end:
        code = end.code
        raise
    finally:
        unfinished = code_file.with_suffix(".new")
        unfinished.write_text(str(code))
        unfinished.replace(code_file)


if __name__ == "__main__":
    _run_and_tell(Path(sys.argv[1]), sys.argv[2])
