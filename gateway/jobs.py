"""What became of the commands to the trainer, by what the topics say: every gateway says the same. No Kafka here."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from gateway.asked_jobs import MOST_JOBS, AskedJobs, is_askable, keep, short
from gateway.presentation import time_text
from schemas.decisions import state_after
from schemas.events import CommandAction, CommandState, ModelAction, ModelCommand, ModelEvent, ServiceStatus
from schemas.public import Time

#: Decisions come in another order than commands, by at most the trainings that wait.
_MOST_DECISIONS = MOST_JOBS + 100
_NO_TRAINER = "no trainer has reported lately: the command waits for one"


class JobDecision(Struct, frozen=True, kw_only=True):
    """The trainer's answer, as it stands in `models`.

    Attributes:
        model_set: The set that it is about.
        serving: The set that serves from then on; null: the statistical forecaster answers.
        numbers: What it was made on, like `error_ratio` and `p_value`.
    """

    action: ModelAction
    model_set: str
    serving: str | None
    challenger: str | None
    reason: str
    decided_by: str
    decided_at: Time
    numbers: dict[str, float]


class ModelJob(Struct, frozen=True, kw_only=True):
    """A command to the trainer, and what became of it.

    Attributes:
        status: `queued` until the trainer works on it, `refused` with the trainer's reason where it is not to be done.
        message: What the trainer says of it.
        asked_by: `api/` and the id of the caller's key, or who else asked for it.
        reason: As it was given by who asked.
    """

    job: str
    action: CommandAction
    status: CommandState
    progress: Annotated[float, Meta(ge=0, le=1)]
    message: str
    asked_by: str
    asked_at: Time
    reason: str
    model_set: str | None
    decision: JobDecision | None


class _Asked(Struct, frozen=True):
    """What is kept of a command."""

    id: str
    action: CommandAction
    asked_by: str
    asked_at: str
    asked_ns: int
    reason: str
    model_set: str | None


class JobsView:
    """The newest commands of `model-commands`, beside the decisions that answer them."""

    def __init__(self) -> None:
        self._asked: AskedJobs[_Asked] = AskedJobs()
        self._decided: OrderedDict[str, tuple[CommandState, JobDecision]] = OrderedDict()

    def asked(self, command: ModelCommand) -> None:
        """Take a command.

        Raises:
            UndecodableError: Its time cannot be said at the edge; nothing changed.
        """
        if is_askable(command.id):
            self._asked.add(
                _Asked(
                    command.id,
                    command.action,
                    short(command.requested_by),
                    time_text(command.requested_at_ns),
                    command.requested_at_ns,
                    short(command.reason),
                    command.model_set and short(command.model_set),
                )
            )

    def decided(self, event: ModelEvent) -> None:
        """Take a decision.

        Raises:
            UndecodableError: Its time cannot be said at the edge; nothing changed.
        """
        if event.command_id is None or not is_askable(event.command_id):
            return
        decision = JobDecision(
            action=event.action,
            model_set=event.model_set,
            serving=event.serving,
            challenger=event.challenger,
            reason=short(event.reason),
            decided_by=short(event.decided_by),
            decided_at=time_text(event.decided_at_ns),
            numbers=event.numbers,
        )
        keep(self._decided, event.command_id, (state_after(event), decision), _MOST_DECISIONS)

    def of_key(self, of_key: str, now_ns: int) -> str | None:
        """Give the id of the job that a key was used for within the last 24 hours."""
        return self._asked.of_key(of_key, now_ns)

    def find(self, job_id: str, trainers: Sequence[ServiceStatus], now_ns: int) -> ModelJob | None:
        """Give a job; None where none is known by this name.

        Args:
            trainers: What the trainers that run say of themselves.
        """
        asked = self._asked.get(job_id, now_ns)
        if asked is None:
            return None
        status, share, message = _standing(job_id, trainers)
        decision = None
        if job_id in self._decided:
            status, decision = self._decided[job_id]
            share, message = 1.0, decision.reason
        return ModelJob(
            job=asked.id,
            action=asked.action,
            status=status,
            progress=share,
            message=message,
            asked_by=asked.asked_by,
            asked_at=asked.asked_at,
            reason=asked.reason,
            model_set=asked.model_set,
            decision=decision,
        )


def _standing(job_id: str, trainers: Sequence[ServiceStatus]) -> tuple[CommandState, float, str]:
    progress = next((each for trainer in trainers for each in trainer.commands if each.id == job_id), None)
    if progress is None:
        return CommandState.QUEUED, 0.0, "" if trainers else _NO_TRAINER
    if progress.state == CommandState.QUEUED:
        return CommandState.QUEUED, 0.0, progress.message
    # Of an end, the decision tells, which comes by another topic.
    return CommandState.RUNNING, min(max(progress.progress, 0.0), 1.0), progress.message
