"""What the tests of the whole system share."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import clean_environment


@pytest.fixture(scope="session")
def trained_models(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Train a real model set once, and give the folder that holds it."""
    folder = tmp_path_factory.mktemp("models")
    environment = clean_environment() | {"TICKCAST_MODELS_DIRECTORY": str(folder)}
    subprocess.run(
        [sys.executable, "-m", "predictor.training", "train", "--before", "2010-01-04"],
        cwd=Path(folder),
        env=environment,
        check=True,
        capture_output=True,
        timeout=300,
    )
    return str(folder)
