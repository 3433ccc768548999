"""`python -m tests.system.kills.trainer`: the trainer, with a trap, and with trainings that take a second."""

import os
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from predictor import saving
from predictor.store import ArtifactStore
from predictor.training import mirror
from predictor.training.mirror_client import open_client
from predictor.training.service.attempt import FIRST_REASON
from predictor.training.service.carry_out import CarryOut
from predictor.training.service.job import Job
from predictor.training.service.run import run
from predictor.training.service.sender import Sender
from predictor.training.service.trainings import Trainings
from predictor.training.service.verdict import Attempted
from predictor.training.settings import TrainingSettings
from predictor.training.tell import Tell
from schemas.service import run_service
from tests.system.kills.trap import Trap

_MLFLOW = (
    *("create_run", "create_model_version"),
    *("set_registered_model_alias", "delete_registered_model_alias"),
)


def quick_attempt(settings: TrainingSettings, job: Job, tell: Tell) -> Attempted:
    """Make a set of two linear maps, and find it good; the trap kills the service that waits for it, too."""
    from tests.predictor.saved_sets import save_linear_set  # ONNX takes a second, and only a training needs it

    Trap(settings.models_directory.parent, before_us=os.getppid()).watch(saving, "_write")
    folder, _ = save_linear_set(settings.models_directory, name=set_of(job.asked_by))
    return Attempted(champion=job.champion, promote=True, reason=FIRST_REASON, model_set=folder.name)


def set_of(command_id: str | None) -> str:
    """Name the set that a training makes; the ids of drift's commands hold what no folder's name may."""
    return f"set-{command_id or 'first'}".replace("/", "-").replace(":", "-")


def _serve(settings: TrainingSettings) -> None:
    trap = Trap(settings.models_directory.parent)
    trap.watch(Trainings, "_training_ended")
    trap.watch(ArtifactStore, "put", "remove")
    trap.watch(LocalFileSystem, "pipe_file")
    trap.watch(Sender, "announce", "_on_delivery")
    trap.watch(CarryOut, "_set_aliases", "tell")
    trap.watch(type(settings.models_directory), "rename")

    def open_and_watch(uri: str) -> Any:
        client = open_client(uri)
        trap.watch(type(client), *_MLFLOW)
        vars(mirror)["open_client"] = open_client
        return client

    vars(mirror)["open_client"] = open_and_watch
    run(settings, attempt=quick_attempt)


if __name__ == "__main__":
    run_service("trainer", TrainingSettings, _serve)
