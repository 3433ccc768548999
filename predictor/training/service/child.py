"""A training in a process of its own: the service stays answerable, its memory goes back, its end ends nobody else."""

import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from threading import Thread
from time import monotonic, sleep

from predictor.training.service.attempt import Attempt
from predictor.training.service.job import Answers, Job
from predictor.training.service.progress_log import ProgressLog
from predictor.training.service.verdict import Attempted
from predictor.training.settings import TrainingSettings
from predictor.training.tell import Tell
from schemas.errors import RetryError, TickcastError
from schemas.log_events import LogEvent, about
from schemas.logs import configure_logs

_log = logging.getLogger(__name__)
#: Before each further try of what may succeed later, like reading a topic of a broker that is away.
PAUSES_SECONDS = (1.0, 10.0, 60.0)
_STOPPED = frozenset({-signal.SIGTERM, -signal.SIGINT})


class Interrupted:
    """A training was told to stop, and is to begin again."""


class RunningJob:
    """A job that runs.

    Attributes:
        progress: From 0 to 1.
        doing: With what.
    """

    def __init__(self, settings: TrainingSettings, job: Job, attempt: Attempt) -> None:
        self.job = job
        self.progress, self.doing = 0.0, "starting"
        self._answers = Answers(settings.models_directory)
        self._answers.forget(job)  # of another run
        self._began_at = monotonic()
        spawn = get_context("spawn")
        self._receiver, sender = spawn.Pipe(duplex=False)
        self._process = spawn.Process(target=_work, args=(settings, job, attempt, sender), name="training")
        self._process.start()
        sender.close()

    @property
    def seconds(self) -> float:
        """Say how long it has been running."""
        return monotonic() - self._began_at

    def look(self) -> Attempted | Interrupted | None:
        """Take in how far it is; give how it ended once it has."""
        with suppress(EOFError, OSError):  # it has ended, or is about to
            while self._receiver.poll():
                self.progress, self.doing = self._receiver.recv()
        code = self._process.exitcode
        if code is None:
            return None
        self._process.join()
        answer = self._answers.read(self.job)
        if answer is not None:
            return answer
        if code in _STOPPED:
            return Interrupted()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return Attempted(champion=self.job.champion, promote=False, reason=f"the training {how}", failed=True)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.join()


def _work(settings: TrainingSettings, job: Job, attempt: Attempt, sender: Connection) -> None:
    """Be the process: do the job, and leave the answer in its file."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # meant for the service, which ends us
    Thread(target=_end_with_parent, name="parent", daemon=True).start()
    configure_logs("trainer", settings.log_level, settings.log_format)

    progress_log = ProgressLog(job.asked_by)

    def tell(progress: float, doing: str) -> None:
        progress_log.note(progress, doing)
        with suppress(OSError):  # the service is gone, and so shall we be: that is no answer to the command
            sender.send((progress, doing))

    try:
        attempted = patient(attempt, settings, job, tell)
    except TickcastError as error:
        attempted = _failed(job, str(error))
    except Exception as error:  # whatever a library raises: it is told as the answer, and the service goes on
        said = about(LogEvent.TRAINING, command=job.asked_by, state="failed", reason=type(error).__name__)
        _log.exception("the training failed", extra=said)
        attempted = _failed(job, f"{type(error).__name__}: {error}")
    Answers(settings.models_directory).write(job, attempted)


def patient(
    attempt: Attempt, settings: TrainingSettings, job: Job, tell: Tell, pause: Callable[[float], None] = sleep
) -> Attempted:
    """Do a job; begin again where it may succeed later, after growing pauses and not for ever.

    Raises:
        RetryError: The last try failed likewise.
        TickcastError: It cannot be done.
    """
    for seconds in PAUSES_SECONDS:
        try:
            return attempt(settings, job, tell)
        except RetryError as error:
            _log.warning("the training begins again in %g s: %s", seconds, error)
            tell(0.0, f"again in {seconds:g} s: {error}")
            pause(seconds)
    try:
        return attempt(settings, job, tell)
    except RetryError as error:
        raise RetryError(f"{error}; it was tried {len(PAUSES_SECONDS) + 1} times") from error


def _failed(job: Job, why: str) -> Attempted:
    return Attempted(champion=job.champion, promote=False, reason=f"the training failed: {why}", failed=True)


def _end_with_parent() -> None:
    """End with the service, however it ends: nobody would take the answer."""
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
