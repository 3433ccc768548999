"""`POST /feedback`."""

import secrets
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.access.gate import CALLER
from gateway.asked import find
from gateway.bodies import read_as, read_json
from gateway.database.feedback import keep_feedback
from gateway.feedback import (
    EXAMPLE,
    MOST_COMMENT_CHARACTERS,
    MOST_ID_CHARACTERS,
    FeedbackReceipt,
    FeedbackRequest,
    feedback_of,
)
from gateway.openapi import json_body, of_contract, problems
from gateway.parts import Parts
from gateway.presentation import time_text

_ID_BYTES = 12
_NO_NUL = r"^[^\u0000]*$"


def feedback_router(parts: Parts) -> APIRouter:
    """Give it."""
    router = APIRouter(tags=["history"])

    @router.post(
        "/feedback",
        summary="Rate a prediction",
        description="`rating` is 1 where it was of use, -1 where it was not. Say which prediction by its `id` (with "
        "`horizon` where you mean one of its horizons), or by `as_of` and `horizon`. It is kept in the database with "
        "the id of your key or user, where you have one; 503 while the database cannot be reached.",
        status_code=HTTPStatus.CREATED,
        responses={201: of_contract(FeedbackReceipt), **problems(400, 404, 415, 503)},
        response_class=Response,
        openapi_extra=json_body(_BODY, EXAMPLE),
    )
    async def feedback(request: Request) -> Response:
        wanted = read_as(await read_json(request), FeedbackRequest, msgspec.json.encode(EXAMPLE).decode())
        caller, now_ns = request.scope.get(CALLER), parts.clock_ns()
        identifier, key_id = secrets.token_hex(_ID_BYTES), None if caller is None else caller.id
        row = feedback_of(wanted, identifier, parts.settings.interval, key_id, now_ns)
        find(parts, row.ticker)
        await parts.archive.write(partial(keep_feedback, feedback=row))
        receipt = FeedbackReceipt(id=identifier, created_at=time_text(now_ns))
        return Response(msgspec.json.encode(receipt), HTTPStatus.CREATED, media_type="application/json")

    return router


_BODY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ticker": {"type": "string", "description": "A symbol, in any case"},
        "rating": {"type": "integer", "enum": [-1, 1], "description": "1: it was of use; -1: it was not"},
        "id": {
            "type": ["string", "null"],
            "description": "Of the prediction",
            "pattern": _NO_NUL,
            "minLength": 1,
            "maxLength": MOST_ID_CHARACTERS,
        },
        "as_of": {"type": ["string", "null"], "format": "date-time", "description": "Instead of `id`"},
        "horizon": {"type": ["integer", "null"], "minimum": 1, "maximum": 100_000, "description": "In bars"},
        "comment": {"type": ["string", "null"], "pattern": _NO_NUL, "maxLength": MOST_COMMENT_CHARACTERS},
    },
    "required": ["ticker", "rating"],
    "additionalProperties": False,
}
