"""Commands to the trainer."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from starlette.responses import Response

from gateway.access.gate import CALLER
from gateway.asked import find
from gateway.bodies import read_optional_json
from gateway.job_ids import REMEMBERED_SECONDS
from gateway.model_wishes import Wish, load_wish, retrain_wish, rollback_wish, unload_wish
from gateway.openapi import accepted, json_body, problems, reference
from gateway.parts import Parts
from gateway.routes.live import accepted_response
from gateway.routes.predictions import Symbol

MODEL_SET_EXAMPLE = "set-20100104-17b82a2d"
ModelSet = Annotated[str, Path(description="A model set, as GET /models/status names it", examples=[MODEL_SET_EXAMPLE])]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,255}$",
        description="Chosen by you, for one request: sent again within "
        f"{REMEMBERED_SECONDS // 3_600} hours, the same key gives the same job; with another request it is 400",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ),
]
_WHAT_FOLLOWS = (
    "A command to the trainer goes to `model-commands`; 202 says that Kafka has it, and the job tells what the trainer "
    "makes of it. 503 where Kafka does not take it within 2 s."
)
_REASON: dict[str, Any] = {"reason": "it errs since Monday"}


def commands_router(parts: Parts) -> APIRouter:
    """Give them."""
    router = APIRouter(tags=["models"], default_response_class=Response)

    async def answer(wish: Wish, request: Request, key: str | None) -> Response:
        return accepted_response(await parts.commands.ask(wish, caller_of(request), key))

    @router.post(
        "/model/retrain/{ticker:text}",
        summary="Retrain the models",
        description="The recipe of the serving set is fitted on later data, and serves if it is not worse. Models are "
        f"pooled: a ticker's retrain is the set's, and the answer says so. {_WHAT_FOLLOWS}",
        status_code=HTTPStatus.ACCEPTED,
        responses={202: accepted(), **problems(400, 404, 415, 503)},
        openapi_extra=json_body(reference("ReasonBody"), {"reason": "the monthly retraining"}, required=False),
    )
    async def retrain(ticker: Symbol, request: Request, key: IdempotencyKey = None) -> Response:
        known = find(parts, ticker).ticker
        return await answer(retrain_wish(known, await read_optional_json(request)), request, key)

    @router.post(
        "/models/{name}/load",
        summary="Let a model set serve, or challenge the one that does",
        description=_WHAT_FOLLOWS,
        status_code=HTTPStatus.ACCEPTED,
        responses={202: accepted(), **problems(400, 404, 415, 503)},
        openapi_extra=json_body(reference("LoadBody"), {"role": "challenger", "share": 0.1}, required=False),
    )
    async def load(name: ModelSet, request: Request, key: IdempotencyKey = None) -> Response:
        parts.require_caught_up()
        return await answer(load_wish(parts.models, name, await read_optional_json(request)), request, key)

    @router.post(
        "/models/{name}/unload",
        summary="Let a model set serve or challenge no more",
        description=f"Where none serves, the statistical forecaster answers. {_WHAT_FOLLOWS}",
        status_code=HTTPStatus.ACCEPTED,
        responses={202: accepted(), **problems(400, 404, 415, 503)},
        openapi_extra=json_body(reference("UnloadBody"), _REASON, required=False),
    )
    async def unload(name: ModelSet, request: Request, key: IdempotencyKey = None) -> Response:
        parts.require_caught_up()
        return await answer(unload_wish(parts.models, name, await read_optional_json(request)), request, key)

    @router.post(
        "/models/rollback",
        summary="Let the model set serve that served before",
        description=_WHAT_FOLLOWS,
        status_code=HTTPStatus.ACCEPTED,
        responses={202: accepted(), **problems(400, 415, 503)},
        openapi_extra=json_body(reference("ReasonBody"), _REASON, required=False),
    )
    async def rollback(request: Request, key: IdempotencyKey = None) -> Response:
        parts.require_caught_up()
        return await answer(rollback_wish(await read_optional_json(request)), request, key)

    return router


def caller_of(request: Request) -> str:
    """Name who asks, for `models` and for logs."""
    caller = request.scope.get(CALLER)
    return "api/anonymous" if caller is None else f"api/{caller.id}"
