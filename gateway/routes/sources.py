"""What plays, and other tickers for it."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from gateway.bodies import read_optional_json
from gateway.openapi import accepted, json_body, of_contract, problems, reference
from gateway.parts import Parts
from gateway.routes.commands import IdempotencyKey, caller_of
from gateway.routes.live import accepted_response, live_json
from gateway.source_wishes import source_wish
from gateway.sources import PlayingSource, PlayingSources, sources_of
from schemas.events import SourceAction

SOURCE_EXAMPLE = "live"
SourceName = Annotated[
    str, Path(description="A source that plays, as GET /sources names it, or what it plays", examples=[SOURCE_EXAMPLE])
]
Action = Annotated[SourceAction, Path(description="What is to be done", examples=["add"])]


def sources_router(parts: Parts) -> APIRouter:
    """Give `/sources` and `/sources/{source}/{action}`."""
    router = APIRouter(tags=["sources"], default_response_class=Response)

    def playing() -> list[PlayingSource]:
        parts.require_caught_up()
        return sources_of(parts.services.ingestors(parts.clock_ns()))

    @router.get(
        "/sources",
        summary="What plays",
        description="The sources of the ingestors that have reported lately; the tickers of live ones, and which of "
        "them are paused.",
        responses={200: of_contract(PlayingSources), **problems(503)},
    )
    async def sources() -> Response:
        return live_json(msgspec.json.encode(PlayingSources(playing())))

    @router.post(
        "/sources/{source}/{action}",
        summary="Add, remove, pause or resume tickers of a live source",
        description="A command to the ingestor goes to `source-commands`; 202 says that Kafka has it, and the job "
        "tells what the ingestor makes of it. No tickers named: all that the source has. 409 where the source is not "
        "live, 503 where Kafka does not take the command within 2 s.",
        status_code=HTTPStatus.ACCEPTED,
        responses={202: accepted(), **problems(400, 404, 409, 415, 503)},
        openapi_extra=json_body(reference("SourceBody"), {"tickers": ["AAPL", "MSFT"]}, required=False),
    )
    async def change(source: SourceName, action: Action, request: Request, key: IdempotencyKey = None) -> Response:
        wish = source_wish(playing(), source, action, await read_optional_json(request))
        return accepted_response(await parts.commands.ask(wish, caller_of(request), key))

    return router
