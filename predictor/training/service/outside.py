"""What the trainer works with that others have made: the artifact store, the mirror, the trainings, the alarms."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from predictor.artifacts import UnfitModelSetError
from predictor.manifest import Manifest
from predictor.training.settings import TrainingSettings
from schemas.errors import TickcastError
from schemas.events import ModelCommand, ModelEvent, Scoreboard


class LostSetError(TickcastError):
    """The store answers, and does not have the set, or not whole."""


class Mirror(Protocol):
    """A registry of models for people; what it says follows `models`."""

    def register(self, manifest: Manifest, folder: Path, decision_id: str) -> None:
        """Add a version of the set, unless one of that decision and set is there."""
        ...

    def set_aliases(self, serving: str | None, challenger: str | None) -> None:
        """Say which sets have a part, by name."""
        ...


class Store(Protocol):
    """Where sets are kept under their digests, for whoever cannot see our folders."""

    def put(self, folder: Path) -> str:
        """Keep a set, and give the digest of its manifest; nothing is done for what is there."""
        ...

    def fetch(self, manifest_sha256: str) -> Path:
        """Bring a set into our folder of sets.

        Raises:
            LostSetError: It is not there.
            RetryError: The store does not answer.
        """
        ...

    def prune(self, keep: Sequence[str]) -> list[str]:
        """Delete the sets in our folder but these, by name, and what kills have left; give the sets' names."""
        ...


class Wishes(Protocol):
    """What machines wish: a retraining after an alarm of drift, or by a schedule. Each wish is given once."""

    def decided(self, event: ModelEvent) -> None:
        """Take a decision of `models`, each in its order."""
        ...

    def asked(self, command: ModelCommand) -> None:
        """Take a command of `model-commands`."""
        ...

    def as_of(self, board: Scoreboard, now_ns: int) -> list[ModelCommand]:
        """Give what a board leads to."""
        ...

    def by_clock(self, now_ns: int) -> list[ModelCommand]:
        """Give what is due."""
        ...


@dataclass(frozen=True)
class Outside:
    """All of them; tests put others in their place.

    Attributes:
        tell: Tells a webhook, where one is set; never fails.
    """

    store: Store
    mirror: Mirror
    wishes: Wishes
    tell: Callable[[ModelEvent | ModelCommand], None]


class _ArtifactStore:
    """The store of the settings."""

    def __init__(self, settings: TrainingSettings) -> None:
        from predictor.store import open_store  # noqa: PLC0415 - only who uses the store needs its client

        self._store = open_store(settings)
        self._directory = settings.models_directory

    def put(self, folder: Path) -> str:
        from predictor.stored_sets import put_set  # noqa: PLC0415 - likewise

        return put_set(self._store, folder)

    def fetch(self, manifest_sha256: str) -> Path:
        from predictor.store import DamagedArtifactError, MissingArtifactError  # noqa: PLC0415 - likewise
        from predictor.stored_sets import fetch_set  # noqa: PLC0415

        try:
            return fetch_set(self._store, manifest_sha256, self._directory)
        except (DamagedArtifactError, MissingArtifactError, UnfitModelSetError) as error:
            raise LostSetError(str(error)) from error

    def prune(self, keep: Sequence[str]) -> list[str]:
        from predictor.stored_sets import prune, remove_leftovers  # noqa: PLC0415 - likewise

        removed = prune(self._store, self._directory, keep)
        remove_leftovers(self._store, self._directory, time.time())
        return removed


def real_outside(settings: TrainingSettings) -> Outside:
    """Give the real ones."""
    from predictor.training.mirror import open_mirror  # noqa: PLC0415 - only the service needs them
    from predictor.training.service.wishes import MachineWishes  # noqa: PLC0415
    from predictor.training.webhook import tell  # noqa: PLC0415

    return Outside(
        store=_ArtifactStore(settings),
        mirror=open_mirror(settings),
        wishes=MachineWishes(settings),
        tell=lambda said: tell(settings, said),
    )
