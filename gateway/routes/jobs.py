"""What became of a job: `/jobs/{id}`."""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path
from starlette.responses import Response

from gateway.asked_jobs import MOST_JOBS
from gateway.batch import LARGEST_BATCH
from gateway.batch_jobs import KEPT_SECONDS, forgotten, is_batch
from gateway.openapi import PREDICTIONS, of_schema, problems, reference
from gateway.parts import Parts
from gateway.problems import ProblemError
from gateway.routes.live import live_json
from gateway.workers.team import FORGOTTEN

JOB_EXAMPLE = "api-9f86d081884c7d659a2feaa0c55ad015"
JobId = Annotated[str, Path(description="As the answer that named it has it", examples=[JOB_EXAMPLE])]
_BATCH_JOB: dict[str, Any] = {"allOf": [reference("BatchJob"), PREDICTIONS]}
_JOB = {"anyOf": [reference("ModelJob"), reference("SourceJob"), _BATCH_JOB]}


def jobs_router(parts: Parts) -> APIRouter:
    """Give it."""
    router = APIRouter(tags=["jobs"])

    @router.get(
        "/jobs/{id:text}",
        summary="What became of a job",
        description="A command to the trainer or to a source, whoever sent it: every gateway says the same, also "
        f"after a restart. The newest {MOST_JOBS:,} of the last seven days are known. Or a batch of more than "
        f"{LARGEST_BATCH} tickers, with its predictions once it is done: only the gateway that took it has it, for "
        f"{KEPT_SECONDS // 60} minutes; then it is 410.",
        responses={200: of_schema(_JOB), **problems(404, 410, 503)},
        response_class=Response,
    )
    async def job(id: JobId) -> Response:  # noqa: A002 -- the path's name for it
        if is_batch(id):
            return live_json(await _batch(parts, id))
        parts.require_caught_up()
        found = parts.commands.find(id)
        if found is None:
            raise _unknown(id)
        return live_json(msgspec.json.encode(found))

    return router


async def _batch(parts: Parts, job_id: str) -> bytes:
    """Give a batch of this worker, or of another one of this gateway.

    Raises:
        ProblemError: 404 or 410.
    """
    try:
        return parts.batches.body_of(job_id)
    except ProblemError:
        for body in (await parts.team.ask_others(job_id)).values():
            if body == FORGOTTEN:
                raise forgotten(job_id) from None
            if body:
                return body
        raise


def _unknown(job_id: str) -> ProblemError:
    detail = f"no job {job_id[:100]!r} is known: the newest {MOST_JOBS:,} of the last seven days are"
    return ProblemError(HTTPStatus.NOT_FOUND, "unknown-job", detail, field="id")
