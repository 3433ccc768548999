"""MLflow on SQLite for tests: its tables are made once, and each test has a copy."""

import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from predictor.artifacts import read_manifest
from predictor.manifest import Manifest
from predictor.saving import save_manifest
from predictor.training.mirror import open_mirror
from predictor.training.mirror_client import open_client
from predictor.training.settings import TrainingSettings
from schemas.events import HoldOutScore
from tests.predictor.saved_sets import save_linear_set

MODEL = "test.tickcast"


class RegistryUnderTest:
    """A database, the settings that name it, and what MLflow itself says of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uri = f"sqlite:///{folder / 'mlflow.db'}"
        self.settings = self.settings_at(self.uri)

    def settings_at(self, uri: str) -> TrainingSettings:
        """Give settings with another address."""
        models = self.folder / "models"
        return TrainingSettings(_env_file=None, topic_prefix="test.", mlflow_tracking_uri=uri, models_directory=models)

    def mirror(self) -> Any:
        """Give a mirror as a new process would have it."""
        return open_mirror(self.settings)

    @property
    def client(self) -> Any:
        """Give MLflow's own client."""
        return open_client(self.uri)

    def save(self, name: str, *, train_end_ns: int = 0) -> tuple[Manifest, Path]:
        """Save a set on disk."""
        folder, _ = save_linear_set(self.folder / "models")
        renamed = folder.rename(folder.with_name(name))
        scores = [
            HoldOutScore(horizon=5, count=9, mean_absolute_error=0.02, root_mean_squared_error=0.03, hit_rate=0.5)
        ]
        naive = [structs.replace(scores[0], root_mean_squared_error=0.04)]
        manifest = structs.replace(
            read_manifest(renamed),
            model_set=name,
            train_end_ns=train_end_ns,
            hold_out=scores,
            baselines={"no_change": naive},
            library_versions={"numpy": "2.4"},
        )
        save_manifest(manifest, renamed)
        return manifest, renamed

    def versions(self) -> dict[str, Any]:
        """Give the versions by set; fails where a set has two."""
        found = list(self.client.search_model_versions(f"name='{MODEL}'"))
        by_set = {version.tags["model_set"]: version for version in found}
        assert len(by_set) == len(found)
        return by_set

    def runs(self) -> list[Any]:
        """Give all runs."""
        experiment = self.client.get_experiment_by_name(MODEL)
        return [] if experiment is None else list(self.client.search_runs([experiment.experiment_id]))

    def aliases(self) -> dict[str, str]:
        """Give the set that each alias names."""
        names = {str(version.version): name for name, version in self.versions().items()}
        found = self.client.search_registered_models(f"name='{MODEL}'")
        return {alias: names[str(version)] for model in found for alias, version in model.aliases.items()}


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make MLflow's tables, by the first opening of a database."""
    folder = tmp_path_factory.mktemp("mlflow")
    path = folder / "deep" / "mlflow.db"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of an old migration of MLflow's
        open_client(f"sqlite:///{path}")
    assert [each.name for each in path.parent.iterdir()] == ["mlflow.db"], "nothing unfinished is left"
    return path


@pytest.fixture
def registry(empty_database: Path, tmp_path: Path) -> RegistryUnderTest:
    """Give a registry without any set."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return RegistryUnderTest(tmp_path)
