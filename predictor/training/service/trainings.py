"""Trainings, one at a time, each in a process of its own: the first set, those that were asked for, judgments."""

import logging
from collections.abc import Callable
from functools import partial

from predictor.training.parameter_file import parameters_of, searched_through_ns
from predictor.training.service.attempt import Attempt
from predictor.training.service.carry_out import AtStep
from predictor.training.service.child import Interrupted, RunningJob
from predictor.training.service.decide import ToTrain
from predictor.training.service.desk import Desk
from predictor.training.service.figures import Figures
from predictor.training.service.first_step import Announce, TrainFirst, first_step
from predictor.training.service.job import Answers, Job
from predictor.training.service.judging import Judging
from predictor.training.service.next_state import FoundSet
from predictor.training.service.refusals import why_not
from predictor.training.service.verdict import Attempted, after_training, unasked
from predictor.training.settings import TrainingSettings
from predictor.training.tasks import say
from schemas.events import CommandState, ModelAction, ModelCommand
from schemas.log_events import LogEvent, about

_log = logging.getLogger(__name__)
_Ended = Callable[[Attempted], None]


class Trainings:
    """What is trained, and what follows from its end.

    Attributes:
        judging: Of the challenger.
        trouble: Why there is no first set; empty: none was tried in vain.
    """

    def __init__(
        self, settings: TrainingSettings, desk: Desk, figures: Figures, attempt: Attempt, at_step: AtStep
    ) -> None:
        self.judging = Judging(desk)
        self.trouble = ""
        self._settings = settings
        self._desk = desk
        self._figures = figures
        self._attempt = attempt
        self._at_step = at_step
        self._answers = Answers(settings.models_directory)
        self._running: RunningJob | None = None
        self._ended: _Ended | None = None
        self._first_wanted = False

    @property
    def doing(self) -> str:
        """Say what the running one does; empty where none runs."""
        return "" if self._running is None else self._running.doing

    def see_to_a_set(self) -> None:
        """See to it that a set serves: announce one that lies on disk, or want one to be trained."""
        desk = self._desk
        wanted = first_step(self._settings, desk.past, desk.sets, say)
        self._first_wanted = isinstance(wanted, TrainFirst)
        if isinstance(wanted, Announce):
            action, instead_of = ModelAction.ANNOUNCED, desk.past.serving
            desk.follow(unasked(desk.past, wanted.found, instead_of, action, wanted.reason, desk.now_ns()), None)

    def go_on(self) -> None:
        """See how far the running one is, take its end, or begin the next."""
        running, ended = self._running, self._ended
        if running is None or ended is None:
            self._begin_next()
            return
        attempted, command = running.look(), self._desk.waiting.begun
        if attempted is None:
            if command is not None:
                self._desk.progress.move(command.id, running.progress, running.doing)
            return
        self._running = self._ended = None
        if isinstance(attempted, Interrupted):
            self._first_wanted = command is None and running.job.champion is None
            self._desk.waiting.begin_again()
            return
        self._at_step("trained")
        self._figures.count_training(failed=attempted.failed, seconds=running.seconds)
        ended(attempted)

    def kill(self) -> None:
        """End the running one; it begins again with the next start."""
        if self._running is not None:
            self._running.kill()

    def _begin_next(self) -> None:
        if self._first_wanted:
            self._first_wanted = False
            self._start(Job(), partial(self._first_ended, self._desk.past.serving))
        elif (command := self._desk.waiting.begin_next()) is not None:
            self._train(command)
        elif (job := self.judging.next_job()) is not None:
            self._start(job, partial(self.judging.ended, job))

    def _start(self, job: Job, ended: _Ended) -> None:
        self._running, self._ended = RunningJob(self._settings, job, self._attempt), ended

    def _first_ended(self, instead_of: str | None, attempted: Attempted) -> None:
        desk, found = self._desk, self._desk.find(attempted.model_set)
        if isinstance(found, FoundSet):
            action = ModelAction.TRAINED
            desk.follow(unasked(desk.past, found, instead_of, action, attempted.reason, desk.now_ns()), None)
        else:
            self.trouble = found or attempted.reason
            said = about(LogEvent.TRAINING, command=None, state="failed", reason=self.trouble)
            _log.error("no model set: %s", self.trouble, extra=said)

    def _train(self, command: ModelCommand) -> None:
        why = why_not(self._desk.past, command, None, self._desk.shape)
        if why is not None:  # what was asked when it came may have been decided otherwise while it waited
            self._desk.waiting.end()
            self._desk.refuse(command, why)
            return
        champion = self._desk.find(self._desk.past.serving)
        if isinstance(champion, str):
            self._desk.waiting.end()
            self._desk.refuse(command, champion, failed=True)
            return
        job = Job(
            asked_by=command.id,
            kind=command.kind,
            parameters=parameters_of(command.parameters),
            searched_through_ns=searched_through_ns(command.evidence),
            champion=None if champion is None else champion.name,
            champion_folder=None if champion is None else str(champion.folder),
        )
        known = self._answers.read(job)
        if known is not None:  # the training had ended when we did
            self._training_ended(command, job, known)
            return
        self._at_step("train")
        self._desk.progress.tell(command, CommandState.RUNNING)
        said = about(LogEvent.TRAINING, command=command.id, requested_by=command.requested_by, state="running")
        text = "training, as %s asked: %s"
        _log.info(text, command.requested_by, command.reason or command.kind, extra=said)
        self._start(job, partial(self._training_ended, command, job))

    def _training_ended(self, command: ModelCommand, job: Job, attempted: Attempted) -> None:
        desk = self._desk
        found = desk.find(attempted.model_set)
        plan = after_training(desk.past, command, attempted, found, desk.shape, desk.now_ns())
        if isinstance(plan, ToTrain):
            desk.waiting.begin_again()
            desk.progress.tell(command, CommandState.QUEUED, f"{attempted.champion} does not serve any more: again")
        else:
            desk.waiting.end()
            desk.follow(plan, command)
        self._answers.forget(job)
