"""Batches that are too large to be answered at once: worked on one after the other, and kept for a while here."""

import asyncio
import logging
import secrets
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

import msgspec
from msgspec import Struct, structs

from gateway.command_desk import Accepted, href_of
from gateway.presentation import time_text
from gateway.problems import ProblemError
from schemas.events import CommandState
from schemas.public import Integer, Time
from schemas.times import NS_PER_SECOND

#: Batches that wait to be worked on; beyond them, 503.
MOST_WAITING = 16
#: A batch that has ended is kept for so long, unless newer ones need the room; the newest is kept in any case.
KEPT_SECONDS = 600
KEPT_BYTES = 33_554_432
_PREFIX = "batch-"

#: Gives the JSON of the predictions, `{"predictions": [...]}`; others have their turns meanwhile.
Work = Callable[[], Awaitable[bytes]]

_log = logging.getLogger(__name__)


class BatchJob(Struct, frozen=True, kw_only=True):
    """A batch that was too large to be answered at once.

    Attributes:
        status: `done` once there are `predictions`.
        tickers: How many were named.
    """

    job: str
    action: Literal["predict_batch"]
    status: CommandState
    tickers: Integer
    asked_at: Time


@dataclass
class _Batch:
    job: BatchJob
    work: Work
    body: bytes = b""
    ended_ns: int = 0


async def _nothing() -> bytes:
    return b""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def is_batch(job_id: str) -> bool:
    """Tell whether a job is a batch, of whichever gateway."""
    return job_id.startswith(_PREFIX)


def forgotten(job_id: str) -> ProblemError:
    """Give the answer where a batch was here, and is no more."""
    detail = f"{job_id} is kept no longer: fetch a batch within {KEPT_SECONDS // 60} minutes, or send it again"
    return ProblemError(HTTPStatus.GONE, "job-forgotten", detail, field="id")


class BatchDesk:
    """The batches of this process: no other one knows them, and a restart forgets them."""

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._prefix = f"{_PREFIX}{secrets.token_hex(8)}-"
        self._count = 0
        self._batches: OrderedDict[str, _Batch] = OrderedDict()
        self._waiting: deque[_Batch] = deque()
        self._working: asyncio.Task[None] | None = None

    def take(self, tickers: int, work: Work) -> Accepted:
        """Take a batch of so many tickers.

        Raises:
            ProblemError: 503: too many wait.
        """
        if len(self._waiting) >= MOST_WAITING:
            detail = f"{MOST_WAITING} batches wait already: try again in a second"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too-many-batches", detail, {"Retry-After": "1"})
        self._count += 1
        job = BatchJob(
            job=f"{self._prefix}{self._count}",
            action="predict_batch",
            status=CommandState.QUEUED,
            tickers=tickers,
            asked_at=time_text(self._clock_ns()),
        )
        batch = self._batches[job.job] = _Batch(job, work)
        self._waiting.append(batch)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        return Accepted(job=job.job, status=job.status, href=href_of(job.job))

    def body_of(self, job_id: str) -> bytes:
        """Give the JSON of a job.

        Raises:
            ProblemError: 410: it was forgotten. 404: it is of another process, or of none.
        """
        self._forget()
        batch = self._batches.get(job_id)
        if batch is None:
            raise self._missing(job_id)
        return batch.body or msgspec.json.encode(batch.job)

    def _missing(self, job_id: str) -> ProblemError:
        if job_id.startswith(self._prefix) and _number(job_id.removeprefix(self._prefix)) in range(1, self._count + 1):
            return forgotten(job_id)
        detail = f"{job_id[:100]} is no batch of this gateway: another gateway took it, or it was before a restart. "
        return ProblemError(HTTPStatus.NOT_FOUND, "unknown-job", f"{detail}Send it again", field="id")

    async def _work(self) -> None:
        while self._waiting:
            batch = self._waiting.popleft()
            batch.job = structs.replace(batch.job, status=CommandState.RUNNING)
            try:
                predictions = await batch.work()
            except Exception:  # stop this one and say so; those that wait are others' and go on
                _log.exception("batch %s failed", batch.job.job)
                batch.job = structs.replace(batch.job, status=CommandState.FAILED)
            else:
                batch.job = structs.replace(batch.job, status=CommandState.DONE)
                batch.body = b"%b,%b" % (msgspec.json.encode(batch.job)[:-1], predictions[1:])
            batch.work = _nothing  # lets go of what it was about
            batch.ended_ns = self._clock_ns()
            self._forget()

    def _forget(self) -> None:
        ended = [batch for batch in self._batches.values() if batch.ended_ns]
        size = sum(len(batch.body) for batch in ended)
        oldest_ns = self._clock_ns() - KEPT_SECONDS * NS_PER_SECOND
        for batch in ended:
            if batch.ended_ns < oldest_ns or (size > KEPT_BYTES and batch is not ended[-1]):
                size -= len(batch.body)
                del self._batches[batch.job.job]
