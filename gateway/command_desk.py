"""Wishes become commands to the trainer or to a source, and jobs. No Kafka in this room."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from msgspec import Struct

from gateway.job_ids import digests_in, key_digest, keyed_id, new_id
from gateway.jobs import JobsView, ModelJob
from gateway.model_wishes import Wish
from gateway.problems import ProblemError, bad_request
from gateway.source_jobs import SourceJob, SourceJobsView
from gateway.source_wishes import SourceWish
from gateway.system import ServicesView
from gateway.versioned import API_PREFIX
from schemas.errors import RetryError
from schemas.events import CommandState, ModelCommand, SourceCommand
from schemas.log_events import LogEvent, about

#: Sends a command, and returns when the broker has it; raises RetryError where it does not in time.
SendCommand = Callable[[ModelCommand | SourceCommand], Awaitable[None]]

_log = logging.getLogger(__name__)


class Accepted(Struct, frozen=True, kw_only=True):
    """A job that was taken; `href` tells how it goes on.

    Attributes:
        note: Of a retrain: what it is about.
    """

    job: str
    status: CommandState
    href: str
    note: str | None = None


def href_of(job_id: str) -> str:
    """Give where a job is asked for."""
    return f"{API_PREFIX}/jobs/{job_id}"


def key_reused(key: str) -> ProblemError:
    """Give the answer where a key was used for something else."""
    detail = f"Idempotency-Key {key[:40]!r} was used for another request within 24 hours: use a new one for this"
    return bad_request("idempotency-key-reused", "Idempotency-Key", detail)


class CommandDesk:
    """Takes wishes, and tells what became of them.

    Attributes:
        send: Set by the service; without it nothing is taken.
    """

    def __init__(
        self, jobs: JobsView, source_jobs: SourceJobsView, services: ServicesView, clock_ns: Callable[[], int]
    ) -> None:
        self.send: SendCommand | None = None
        self._jobs = jobs
        self._source_jobs = source_jobs
        self._services = services
        self._clock_ns = clock_ns

    async def ask(self, wish: Wish | SourceWish, requested_by: str, key: str | None) -> Accepted:
        """Send a wish to whom it is for, unless it is the one that its key was used for.

        Raises:
            ProblemError: 400: the key was used for something else. 503: the broker did not say that it has it.
        """
        job_id = self._job_id(wish, requested_by, key)
        job = self.find(job_id)
        if job is None:
            command = wish.command(job_id, requested_by, self._clock_ns())
            await self._deliver(command)
            self._asked(command)
            said = about(LogEvent.COMMAND, requested_by=requested_by, action=wish.action, job=job_id)
            _log.info("%s asks: %s, %s, job %s", requested_by, wish.action, wish.about, job_id, extra=said)
        return Accepted(
            job=job_id,
            status=CommandState.QUEUED if job is None else job.status,
            href=href_of(job_id),
            note=wish.note,
        )

    def find(self, job_id: str) -> ModelJob | SourceJob | None:
        """Give a job; None where none is known by this name."""
        now_ns = self._clock_ns()
        job = self._jobs.find(job_id, self._services.trainers(now_ns), now_ns)
        return job or self._source_jobs.find(job_id, self._services.ingestors(now_ns), now_ns)

    def _asked(self, command: ModelCommand | SourceCommand) -> None:
        if isinstance(command, ModelCommand):
            self._jobs.asked(command)
        else:
            self._source_jobs.asked(command)

    def _job_id(self, wish: Wish | SourceWish, requested_by: str, key: str | None) -> str:
        if key is None:
            return new_id()
        now_ns, of_key, of_wish = self._clock_ns(), key_digest(requested_by, key), wish.digest()
        known = self._jobs.of_key(of_key, now_ns) or self._source_jobs.of_key(of_key, now_ns)
        if known is None:
            return keyed_id(of_key, of_wish, now_ns)
        if digests_in(known) != (of_key, of_wish):
            raise key_reused(key)
        return known

    async def _deliver(self, command: ModelCommand | SourceCommand) -> None:
        try:
            if self.send is None:
                raise RetryError("this gateway has no broker")
            await self.send(command)
        except (RetryError, TimeoutError) as error:
            _log.warning(
                "%s, %s by %s, was not acknowledged: %s", command.id, command.action, command.requested_by, error
            )
            detail = (
                "Kafka did not say in time that it has the command: ask again (with the same Idempotency-Key it is "
                "done once); only if GET /jobs/{job} comes to know the job did this request reach it after all"
            )
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE, "not-acknowledged", detail, {"Retry-After": "5"}, job=command.id
            ) from error
