"""A trainer in a thread of the test, in a world of fakes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from predictor.training.service.figures import Figures
from predictor.training.service.sender import Sender
from predictor.training.service.trainer import Trainer
from predictor.training.settings import TrainingSettings
from schemas.broker import wait_until
from schemas.events import CommandProgress, ModelCommand, ModelEvent
from schemas.status import StatusBoard
from tests.brokers import BrokerUnderTest
from tests.trainer.fakes import World, obedient_attempt

WAIT_SECONDS = 90.0


class RunningTrainer:
    """One trainer, what it is told and what it says."""

    def __init__(self, broker: BrokerUnderTest, folder: Path, **overrides: Any) -> None:
        self.broker = broker
        self.world = World(folder)
        self.registry = CollectorRegistry()
        self.board = StatusBoard("trainer", "test")
        self.error: BaseException | None = None
        self.settings = broker.settings(TrainingSettings, models_directory=self.world.models, **overrides)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trainer")

    def _run(self) -> None:
        sender = Sender(self.settings)
        try:
            trainer = Trainer(
                *(self.settings, self.world.outside(), sender, self.board, Figures(self.registry)),
                attempt=obedient_attempt,
            )
            trainer.run(self._stop.is_set)
        except BaseException as error:
            self.error = error
        finally:
            sender.close()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive()
        assert self.error is None, self.error

    def decisions(self) -> list[ModelEvent]:
        return [record.event() for record in self.broker.read("models")]

    def serving(self) -> list[str]:
        """Name the sets that some decision let serve, each once."""
        return sorted({event.serving for event in self.decisions() if event.serving is not None})

    def send(self, asked: ModelCommand) -> None:
        self.broker.produce("model-commands", asked, key=asked.scope)

    def ask(self, asked: ModelCommand) -> ModelEvent:
        """Send a command and give its answer."""
        self.send(asked)
        return self.answer(asked.id)

    def answer(self, command_id: str) -> ModelEvent:
        found: list[ModelEvent] = []

        def came() -> bool:
            assert self.error is None, self.error
            found[:] = [event for event in self.decisions() if event.command_id == command_id]
            return bool(found)

        wait_until(came, seconds=WAIT_SECONDS, what=f"the answer to {command_id}", every_seconds=0.3)
        assert len(found) == 1
        return found[0]

    def progress(self, command_id: str) -> CommandProgress | None:
        return next((each for each in self.board.event().commands if each.id == command_id), None)

    def wait_for_state(self, command_id: str, state: str) -> CommandProgress:
        def is_there() -> bool:
            each = self.progress(command_id)
            return each is not None and each.state == state

        wait_until(is_there, seconds=WAIT_SECONDS, what=f"{command_id} being {state}")
        told = self.progress(command_id)
        assert told is not None
        return told


@contextmanager
def running(trainer: RunningTrainer) -> Iterator[RunningTrainer]:
    """Run a trainer for the length of a block."""
    trainer.start()
    try:
        yield trainer
    finally:
        trainer.stop()
