"""`python -m tests.trainer.process FOLDER [STEP]`: the trainer in a world of fakes, which kills itself at a step.

A step `stuck` never ends: the first decision waits for ever before it is announced.
"""

import os
import signal
import sys
import time
from pathlib import Path

from predictor.training.service.run import run
from predictor.training.settings import TrainingSettings
from schemas.service import run_service
from schemas.settings import Settings, load_settings
from tests.trainer.fakes import World, obedient_attempt


def main(folder: Path, deadly_step: str) -> None:
    """Be the trainer."""

    def at_step(step: str) -> None:
        if (deadly_step, step) == ("stuck", "announce"):
            print("stuck", flush=True)  # noqa: T201 - for the test
            time.sleep(3_600)
        if step == deadly_step:
            os.kill(os.getpid(), signal.SIGKILL)

    def serve(_shared: Settings) -> None:
        world = World(folder)
        settings = load_settings(TrainingSettings, models_directory=world.models)
        run(settings, world.outside(), attempt=obedient_attempt, at_step=at_step)

    run_service("trainer", Settings, serve)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
