"""What each key asked for and was sent, by month."""

from functools import partial
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.access.gate import CALLER
from gateway.access.scopes import Scope
from gateway.database.usage import usage_of
from gateway.openapi import of_contract, problems
from gateway.parts import Parts
from gateway.routes.live import live_json
from gateway.usage import WRITE_SECONDS
from gateway.usage_report import UsageReport, nothing_counted, usage_report

#: Rows in one answer.
MOST = 10_000

Month = Annotated[
    str | None, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="Of this month only (UTC)", examples=["2026-11"])
]


def usage_router(parts: Parts) -> APIRouter:
    """Give `/usage`."""
    router = APIRouter(tags=["system"])

    @router.get(
        "/usage",
        summary="Requests, errors, messages and bytes by month: your key's, or with the scope `admin` all keys'",
        description=f"What was counted is written every {WRITE_SECONDS:g} s, and then here. "
        "503 while the database cannot be reached: counting goes on.",
        responses={200: of_contract(UsageReport), **problems(400, 503)},
        response_class=Response,
    )
    async def usage(request: Request, month: Month = None) -> Response:
        caller = request.scope.get(CALLER)
        if caller is None:
            return live_json(msgspec.json.encode(nothing_counted()))
        whose = None if Scope.ADMIN in caller.scopes else caller.id
        rows = await parts.archive.ask(partial(usage_of, key_id=whose, month=month, limit=MOST))
        return live_json(msgspec.json.encode(usage_report(rows)))

    return router
