"""A set that was trained, before it is saved."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from predictor.artifacts import ModelSet, load_model_set
from predictor.manifest import Manifest
from predictor.saving import save_model_set


@dataclass(frozen=True)
class TrainedSet:
    """A set that is ready to be saved: its manifest, and the content of each file by its name."""

    manifest: Manifest
    files: dict[str, bytes]


def as_served(trained: TrainedSet) -> ModelSet:
    """Load a set as the predictor would, from files that are gone afterwards.

    Raises:
        UnfitModelSetError: It could not serve.
    """
    manifest = trained.manifest
    with TemporaryDirectory(prefix="tickcast-") as place:
        folder = save_model_set(manifest, trained.files, Path(place))
        return load_model_set(folder, interval=manifest.interval, horizons=tuple(manifest.horizons))
