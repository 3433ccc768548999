"""The loop of the trainer: what comes in is answered, trainings go on, and how it is is told."""

import logging
import time
from collections.abc import Callable, Iterable

from predictor.training.service.attempt import Attempt, attempt
from predictor.training.service.carry_out import AtStep
from predictor.training.service.condition import condition, stale_words
from predictor.training.service.desk import Desk
from predictor.training.service.feed import Taken, TrainerFeed
from predictor.training.service.figures import Figures
from predictor.training.service.outside import Outside
from predictor.training.service.sender import Sender
from predictor.training.service.trainings import Trainings
from predictor.training.settings import TrainingSettings
from schemas.events import ModelCommand, ModelEvent, Scoreboard, ServiceState
from schemas.log_events import LogEvent, about
from schemas.status import StatusBoard

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.1


class Trainer:
    """The only one who decides on models while it runs."""

    def __init__(
        self,
        settings: TrainingSettings,
        outside: Outside,
        sender: Sender,
        board: StatusBoard,
        figures: Figures,
        *,
        attempt: Attempt = attempt,
        at_step: AtStep = lambda _: None,
    ) -> None:
        """Make one.

        Args:
            attempt: Does a training, in a process of its own.
            at_step: Told each step before it begins.
        """
        self._settings = settings
        self._wishes = outside.wishes
        self._sender = sender
        self._board = board
        self._figures = figures
        self._feed = TrainerFeed(settings)
        self._desk = Desk(settings, outside, sender, figures, at_step)
        self._trainings = Trainings(settings, self._desk, figures, attempt, at_step)
        self._newest: Scoreboard | None = None
        self._stale_said: str | None = None

    def run(self, stopping: Callable[[], bool]) -> None:
        """Work until told to stop; a training that runs is ended, and begins again with the next start.

        Raises:
            RetryError: The broker or the store did not take something: begin again.
            KafkaException: The broker cannot be read any more.
        """
        try:
            self._begin(stopping)
            while not stopping():
                for taken in self._feed.poll(_POLL_SECONDS):
                    self._take(taken)
                self._send(self._wishes.by_clock(time.time_ns()))
                self._trainings.go_on()
                self._report()
        finally:
            self._trainings.kill()
            self._feed.close()

    def _begin(self, stopping: Callable[[], bool]) -> None:
        self._board.set_state(ServiceState.CATCHING_UP)
        for taken in self._feed.read_models(stopping):
            if isinstance(taken.event, ModelEvent):
                self._desk.decisions.read(taken.partition, taken.event)
        if stopping():
            return
        for event in self._desk.past.decisions:
            self._wishes.decided(event)
        self._desk.carry_out.put_right()
        self._trainings.see_to_a_set()
        for taken in self._feed.read_commands(stopping):
            self._take(taken)
        self._feed.follow_scores()

    def _take(self, taken: Taken) -> None:
        match taken.event:
            case ModelEvent() as event:
                if self._desk.decisions.read(taken.partition, event):
                    _log.info("another decided: %s %s: %s", event.model_set, event.action, event.reason)
                    self._wishes.decided(event)
                    self._desk.carry_out.put_right()
            case ModelCommand() as command:
                self._wishes.asked(command)
                self._desk.answer(command)
            case Scoreboard() as board:
                self._newest = board
                self._trainings.judging.evidence_came()
                self._send(self._wishes.as_of(board, time.time_ns()))
            case other:
                raise AssertionError(other)

    def _send(self, wishes: Iterable[ModelCommand]) -> None:
        """Send what machines wish to the journal; it is answered when it comes back from there."""
        for command in wishes:
            said = about(LogEvent.COMMAND, requested_by=command.requested_by, action=command.action, job=command.id)
            _log.info("%s asks: %s, %s", command.requested_by, command.action, command.reason, extra=said)
            self._sender.command(command)
            self._wishes.asked(command)
            self._desk.carry_out.tell(command)

    def _report(self) -> None:
        stale = stale_words(self._settings, self._desk.past, self._newest)
        if stale and self._desk.past.serving != self._stale_said:
            self._stale_said = self._desk.past.serving
            _log.warning("model set %s %s", self._stale_said, stale)
        self._board.set_commands(self._desk.progress.all())
        self._figures.set_waiting(len(self._desk.waiting))
        self._board.set_state(*condition(self._desk.past, stale, self._trainings.trouble, self._trainings.doing))
