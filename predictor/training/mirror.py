"""The registry that people look at: MLflow shows what `models` says, and is put right wherever it does not."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from predictor.artifacts import UnfitModelSetError, read_manifest
from predictor.manifest import Manifest
from predictor.training.mirror_client import absolute, artifacts_beside, open_client
from predictor.training.mirror_registry import Registry, Wanted
from predictor.training.settings import NO_MIRROR, TrainingSettings

_log = logging.getLogger(__name__)
_DEFAULT_URI = "sqlite:///var/mlflow/mlflow.db"
_LONGEST_REASON = 300
#: Sets that wait for a registry that is away; no more are kept on disk.
_MOST_OWED = 5


class Mirror(Protocol):
    """Shows decisions to people. It raises nothing: what it cannot show now, it says, and shows later."""

    def register(self, manifest: Manifest, folder: Path, decision_id: str) -> None:
        """Show a set and the decision that it came of; a second time nothing happens."""
        ...

    def set_aliases(self, serving: str | None, challenger: str | None) -> None:
        """Show which sets serve and challenge, and put all else right that is not as it should be."""
        ...


class NoMirror:
    """Shows nothing to nobody."""

    def register(self, manifest: Manifest, folder: Path, decision_id: str) -> None:
        """Do nothing."""

    def set_aliases(self, serving: str | None, challenger: str | None) -> None:
        """Do nothing."""


def open_mirror(settings: TrainingSettings) -> Mirror:
    """Give the mirror of the settings. MLflow is imported with the first thing that is shown."""
    if settings.mlflow_tracking_uri == NO_MIRROR:
        return NoMirror()
    uri = absolute(settings.mlflow_tracking_uri or _DEFAULT_URI)
    return MlflowMirror(uri, settings.topic_prefix + settings.mlflow_model_name, settings.models_directory)


@dataclass(frozen=True)
class _Owed:
    manifest: Manifest
    folder: Path
    decision_id: str | None


class MlflowMirror:
    """One registered model in MLflow, a version of it for each set, and the aliases `champion` and `challenger`.

    What failed is tried again with the next decision, and after a start for the sets that serve and challenge.
    """

    def __init__(self, uri: str, name: str, models_directory: Path) -> None:
        self._uri = uri
        self._name = name
        self._models_directory = models_directory
        self._registry: Registry | None = None
        self._owed: dict[str, _Owed] = {}

    def register(self, manifest: Manifest, folder: Path, decision_id: str) -> None:
        """Show a set as a version, with its run; a second time nothing happens."""
        self._owe(_Owed(manifest, folder, decision_id))
        self._attempt(f"{manifest.model_set} is not shown yet", self._pay)

    def set_aliases(self, serving: str | None, challenger: str | None) -> None:
        """Move the aliases, make the versions that are missing, end the runs that a crash has left."""
        wanted = {"champion": serving, "challenger": challenger}
        self._attempt("the aliases are not moved yet", partial(self._put_right, wanted))

    def _owe(self, owed: _Owed) -> None:
        self._owed.pop(owed.manifest.model_set, None)
        self._owed[owed.manifest.model_set] = owed
        while len(self._owed) > _MOST_OWED:
            del self._owed[next(iter(self._owed))]

    def _pay(self, registry: Registry) -> None:
        """Show what is owed, the newest first: one that can never be shown must not hold up the others."""
        for name, owed in reversed(list(self._owed.items())):
            if owed.folder.is_dir():
                registry.add(owed.manifest, owed.folder, owed.decision_id)
            else:
                _log.warning("%s is not shown in MLflow: %s is gone", name, owed.folder)
            del self._owed[name]

    def _put_right(self, wanted: Wanted, registry: Registry) -> None:
        shown = registry.versions()
        for name in filter(None, wanted.values()):
            if name not in shown and name not in self._owed:
                self._owe_from_disk(name)
        self._pay(registry)
        registry.set_aliases(wanted)
        registry.end_unfinished_runs()

    def _owe_from_disk(self, name: str) -> None:
        folder = self._models_directory / name
        try:
            self._owe(_Owed(read_manifest(folder), folder, None))
        except UnfitModelSetError as error:
            _log.warning("%s is not shown in MLflow: %s", name, error)

    def _attempt(self, failing: str, act: Callable[[Registry], None]) -> None:
        try:
            if self._registry is None:
                self._registry = Registry(open_client(self._uri), self._name, artifacts_beside(self._uri))
            act(self._registry)
        except Exception as error:  # whatever MLflow and its stores raise: it is tried again, and `models` holds anyway
            self._registry = None
            _log.warning(
                "MLflow at %s: %s: %s (`models` holds; this is put right with the next decision, or at the next start)",
                without_secrets(self._uri), failing, _reason(error),
            )  # fmt: skip


def without_secrets(text: str) -> str:
    """Give a text whose addresses show neither user nor password."""
    return re.sub(r"//[^/@\s]+@", "//", text)


def _reason(error: Exception) -> str:
    first_line = next(iter(str(error).splitlines()), "")
    return without_secrets(f"{type(error).__name__}: {first_line}")[:_LONGEST_REASON]
