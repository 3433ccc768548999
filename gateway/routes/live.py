"""Answers that are right only now."""

from http import HTTPStatus

import msgspec
from starlette.responses import Response

from gateway.command_desk import Accepted


def live_json(body: bytes) -> Response:
    """Answer with JSON that nobody may cache."""
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def accepted_response(taken: Accepted) -> Response:
    """Answer with a job."""
    answer = live_json(msgspec.json.encode(taken))
    answer.status_code = HTTPStatus.ACCEPTED
    answer.headers["Location"] = taken.href
    return answer
