"""What a training process is asked, and where its answer lies. The answer outlives whoever asked."""

import hashlib
from pathlib import Path

import msgspec
from msgspec import Struct, field

from predictor.parameters import Parameters
from predictor.training.service.verdict import Attempted
from schemas.events import RetrainKind

_FOLDER = ".attempts"


class Job(Struct, frozen=True, kw_only=True):
    """A training, or a look at a challenger's evidence.

    Attributes:
        asked_by: Id of the command; null: the first set, or the challenger's turn to be judged.
        searched_through_ns: End of the last bar that the search of the parameters has seen; 0: nothing was searched.
        champion: The set that serves, and its folder; null: none does.
        challenger: To be judged by its shadow, and its folder; null: something is to be trained.
    """

    asked_by: str | None = None
    kind: RetrainKind = RetrainKind.REFRESH
    parameters: Parameters = field(default_factory=Parameters)
    searched_through_ns: int = 0
    champion: str | None = None
    champion_folder: str | None = None
    challenger: str | None = None
    challenger_folder: str | None = None


class Answers:
    """The answers of training processes, a file each, in the folder of the model sets."""

    def __init__(self, models_directory: Path) -> None:
        self._folder = models_directory / _FOLDER

    def path(self, job: Job) -> Path:
        """Give the file of a job: of its command and of what it is compared with."""
        name = msgspec.json.encode([job.asked_by, job.champion, job.challenger])
        return self._folder / f"{hashlib.sha256(name).hexdigest()[:24]}.json"

    def write(self, job: Job, attempted: Attempted) -> None:
        """Write an answer, whole or not at all."""
        path = self.path(job)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(msgspec.json.encode(attempted))
        unfinished.replace(path)

    def read(self, job: Job) -> Attempted | None:
        """Give an answer; None where there is none, or it cannot be read."""
        try:
            return msgspec.json.decode(self.path(job).read_bytes(), type=Attempted)
        except (OSError, ValueError):
            return None

    def forget(self, job: Job) -> None:
        """Delete an answer: it was used, or is not wanted."""
        self.path(job).unlink(missing_ok=True)
