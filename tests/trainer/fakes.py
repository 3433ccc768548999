"""What stands in the place of store, mirror, wishes and trainings. It lies in a folder, so that it outlives a kill."""

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from predictor.artifacts import MANIFEST_FILE, read_manifest
from predictor.manifest import Manifest
from predictor.training.service.job import Job
from predictor.training.service.outside import LostSetError, Outside
from predictor.training.service.verdict import Attempted
from predictor.training.settings import TrainingSettings
from predictor.training.tell import Tell
from schemas.errors import RetryError, StopAndSayError
from schemas.events import ModelCommand, ModelEvent, Scoreboard
from tests.trainer.tiny_sets import save_tiny_set

DEADLINE_SECONDS = 60.0


@dataclass
class FolderStore:
    """Keeps each set in a folder that is called like the digest of its manifest."""

    place: Path
    models: Path
    kept: list[list[str]] = field(default_factory=list)
    away: bool = False

    def put(self, folder: Path) -> str:
        if self.away:
            raise OSError("the store is away")
        digest = hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest()
        if not (self.place / digest).exists():
            unfinished = self.place / f".{digest}"
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(folder, unfinished).rename(self.place / digest)
        return digest

    def fetch(self, manifest_sha256: str) -> Path:
        if self.away:
            raise OSError("the store is away")
        kept = self.place / manifest_sha256
        if not kept.exists():
            raise LostSetError(f"the store has no {manifest_sha256}")
        return Path(shutil.copytree(kept, self.models / read_manifest(kept).model_set, dirs_exist_ok=True))

    def prune(self, keep: Sequence[str]) -> list[str]:
        self.kept.append(list(keep))
        return []


@dataclass
class FileMirror:
    """A registry in a file: versions by decision, and aliases."""

    file: Path

    def read(self) -> dict[str, Any]:
        content: dict[str, Any] = (
            json.loads(self.file.read_text()) if self.file.exists() else {"versions": [], "aliases": {}}
        )
        return content

    def register(self, manifest: Manifest, folder: Path, decision_id: str) -> None:
        assert folder.is_dir()
        content = self.read()
        if [decision_id, manifest.model_set] not in content["versions"]:
            content["versions"].append([decision_id, manifest.model_set])
            self._write(content)

    def set_aliases(self, serving: str | None, challenger: str | None) -> None:
        self._write(self.read() | {"aliases": {"serving": serving, "challenger": challenger}})

    def _write(self, content: dict[str, Any]) -> None:
        unfinished = self.file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(content))
        unfinished.replace(self.file)


@dataclass
class FewWishes:
    """Machines that wish what a test puts here, each once it has seen a board."""

    after_a_board: list[ModelCommand] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def decided(self, event: ModelEvent) -> None:
        self.seen.append(event.id)

    def asked(self, command: ModelCommand) -> None:
        self.commands.append(command.id)

    def as_of(self, board: Scoreboard, now_ns: int) -> list[ModelCommand]:
        given, self.after_a_board = self.after_a_board, []
        return given

    def by_clock(self, now_ns: int) -> list[ModelCommand]:
        return []


@dataclass
class World:
    """All that is outside a trainer, in a folder."""

    folder: Path
    told: list[ModelEvent | ModelCommand] = field(default_factory=list)
    wishes: FewWishes = field(default_factory=FewWishes)

    def __post_init__(self) -> None:
        for place in (self.folder / "store", self.models):
            place.mkdir(parents=True, exist_ok=True)
        self.store = FolderStore(self.folder / "store", self.models)
        self.mirror = FileMirror(self.folder / "mirror.json")

    @property
    def models(self) -> Path:
        return self.folder / "models"

    def outside(self) -> Outside:
        return Outside(store=self.store, mirror=self.mirror, wishes=self.wishes, tell=self.told.append)


def obedient_attempt(settings: TrainingSettings, job: Job, tell: Tell) -> Attempted:
    """Come to what the command's id says: good, bad, broken, away (once), or slow, which waits for a file `go`.

    Where there is a file `slow`, all are.
    """
    what, champion = job.asked_by or "good-first", job.champion
    tell(0.5, "half of it")
    if job.challenger is not None:
        return Attempted(champion=champion, promote=True, reason="better in its shadow", model_set=job.challenger)
    if what.startswith("slow") or (settings.models_directory / "slow").exists():
        _wait_for(settings.models_directory / "go")
    if what.startswith("broken"):
        raise StopAndSayError("the prices cannot be read")
    if what.startswith("away") and not (tried := settings.models_directory / "tried").exists():
        tried.touch()
        raise RetryError("the broker does not answer")
    if what.startswith("bad"):
        return Attempted(champion=champion, promote=False, reason="worse", numbers={"error_ratio": 1.2})
    name = save_tiny_set(settings.models_directory, f"set-{what.replace('/', '-')}").name
    return Attempted(champion=champion, promote=True, reason="not worse", numbers={"error_ratio": 0.9}, model_set=name)


def _wait_for(file: Path) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
