"""How users come in, stay and leave, and tickets for server-sent events."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from msgspec import UNSET
from starlette.responses import Response

from gateway.access.accounts import Accounts, Grant
from gateway.access.cookies import put_cookie, read_cookie
from gateway.access.documents import LogIn, NewUser, RefreshToken, RegisteredUser, Ticket, Tokens
from gateway.access.gate import CALLER
from gateway.access.users import LONGEST_NAME, LONGEST_PASSWORD, NAME_PATTERN, SHORTEST_PASSWORD
from gateway.bodies import read_as, read_json
from gateway.limits.clients import address_of
from gateway.limits.reached import reason_of
from gateway.openapi import json_body, of_contract, problems
from gateway.parts import Parts
from gateway.presentation import time_text
from gateway.problems import ProblemError, bad_request
from gateway.routes.live import live_json
from schemas.times import NS_PER_SECOND

_NOT_LET_IN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
_CREDENTIALS = {"username": "ada", "password": "correct horse battery staple"}
_REFRESH = {"refresh_token": "eyJhbGciOiJIUzI1NiIs…"}
_NOTHING_SENT = "there is no refresh token: send it as refresh_token, or as the cookie that POST /auth/token has set"
_IN_BODY_OR_COOKIE = "A browser that logged in with `cookie` sends no body: the token is in its cookie."


def auth_router(parts: Parts) -> APIRouter:
    """Give `/auth/…` and `/events/ticket`."""
    router = APIRouter(tags=["accounts"])

    @router.post(
        "/auth/register",
        summary="Become a user",
        description="Closed (403) unless `TICKCAST_REGISTRATION_OPEN` is true. A new user may read and stream.",
        status_code=HTTPStatus.CREATED,
        responses={201: of_contract(RegisteredUser), **problems(400, 403, 404, 409, 415, 429, 503)},
        response_class=Response,
        openapi_extra=json_body(_NEW_USER, _CREDENTIALS),
    )
    async def register(request: Request) -> Response:
        accounts = _accounts(parts)
        asked = read_as(await read_json(request), NewUser, _example(_CREDENTIALS))
        with _counted(parts, request):
            user = await accounts.register(asked.username, asked.password, address_of(request.scope))
        made = RegisteredUser(id=user.id, username=user.name or "", scopes=sorted(user.scopes))
        response = live_json(msgspec.json.encode(made))
        response.status_code = HTTPStatus.CREATED
        return response

    @router.post(
        "/auth/token",
        summary="Log in",
        description="An access token for ten minutes, and a refresh token for the next one. With `cookie` the refresh "
        "token comes in a cookie that scripts cannot read, as browsers should have it.",
        responses={200: of_contract(Tokens), **problems(400, 401, 404, 415, 429, 503)},
        response_class=Response,
        openapi_extra=json_body(_LOG_IN, _CREDENTIALS),
    )
    async def token(request: Request) -> Response:
        accounts = _accounts(parts)
        asked = read_as(await read_json(request), LogIn, _example(_CREDENTIALS))
        with _counted(parts, request):
            grant = await accounts.log_in(asked.username, asked.password, address_of(request.scope))
        return _tokens(parts, request, grant, in_cookie=asked.cookie)

    @router.post(
        "/auth/refresh",
        summary="Get the next tokens",
        description="Each refresh token is good for once: one that comes again ends the session, for somebody else has "
        f"it. {_IN_BODY_OR_COOKIE}",
        responses={200: of_contract(Tokens), **problems(400, 401, 404, 415, 503)},
        response_class=Response,
        openapi_extra=json_body(_REFRESH_TOKEN, _REFRESH, required=False),
    )
    async def refresh(request: Request) -> Response:
        accounts = _accounts(parts)
        given, in_cookie = await _refresh_token(request)
        with _counted(parts, request):
            grant = await accounts.refresh(given, address_of(request.scope))
        return _tokens(parts, request, grant, in_cookie=in_cookie)

    @router.post(
        "/auth/revoke",
        summary="Log out",
        description="The session's tokens are good no more, within seconds also on open connections. "
        f"{_IN_BODY_OR_COOKIE}",
        status_code=HTTPStatus.NO_CONTENT,
        responses=problems(400, 404, 415, 503),
        response_class=Response,
        openapi_extra=json_body(_REFRESH_TOKEN, _REFRESH, required=False),
    )
    async def revoke(request: Request) -> Response:
        accounts = _accounts(parts)
        given, in_cookie = await _refresh_token(request)
        await accounts.revoke(given, address_of(request.scope))
        response = Response(status_code=HTTPStatus.NO_CONTENT, headers={"Cache-Control": "no-store"})
        if in_cookie:
            put_cookie(response, request, "", 0)
        return response

    @router.post(
        "/events/ticket",
        summary="A ticket for server-sent events",
        description="For half a minute `GET /events/predictions?ticket=` takes it: browsers cannot send headers there.",
        responses={200: of_contract(Ticket), **problems(401, 403, 404)},
        response_class=Response,
    )
    async def ticket(request: Request) -> Response:
        _accounts(parts)
        text, expires_ns = parts.identity.ticket(request.scope[CALLER], parts.clock_ns())
        return live_json(msgspec.json.encode(Ticket(ticket=text, expires_at=time_text(expires_ns))))

    return router


_STRING = {"type": "string"}
_USERNAME = _STRING | {"maxLength": LONGEST_NAME, "description": "Case does not matter"}
_PASSWORD = _STRING | {"maxLength": LONGEST_PASSWORD}
_NEW_USER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "username": _USERNAME | {"pattern": NAME_PATTERN},
        "password": _PASSWORD | {"minLength": SHORTEST_PASSWORD},
    },
    "required": ["username", "password"],
    "additionalProperties": False,
}
_LOG_IN: dict[str, Any] = {
    "type": "object",
    "properties": {
        "username": _USERNAME,
        "password": _PASSWORD,
        "cookie": {"type": "boolean", "default": False, "description": "Keep the refresh token in a cookie"},
    },
    "required": ["username", "password"],
    "additionalProperties": False,
}
_REFRESH_TOKEN: dict[str, Any] = {
    "type": "object",
    "properties": {"refresh_token": {"type": ["string", "null"]}},
    "additionalProperties": False,
}


def _example(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()


def _accounts(parts: Parts) -> Accounts:
    """Give the accounts.

    Raises:
        ProblemError: 404: nobody is asked who he is.
    """
    if not parts.settings.auth_required:
        detail = "this gateway asks nobody who he is, so there is nothing to log in to: TICKCAST_AUTH_REQUIRED is false"
        raise ProblemError(HTTPStatus.NOT_FOUND, "auth-off", detail)
    return parts.accounts


@contextmanager
def _counted(parts: Parts, request: Request) -> Iterator[None]:
    """Take note of who is not let in, as the gate does; what the accounts log, they log themselves."""
    try:
        yield
    except ProblemError as refused:
        if refused.status in _NOT_LET_IN:
            reason = reason_of(refused)
            logged = refused.status is HTTPStatus.UNAUTHORIZED  # with whose user it is
            parts.refusals.note(request.scope, reason, None if logged else f"{request.scope['path']}, {reason}")
        raise


async def _refresh_token(request: Request) -> tuple[str, bool]:
    """Give the refresh token of the body, or else of the cookie, and whether it was that.

    Raises:
        ProblemError: 400: there is none.
    """
    body = await read_json(request) if await request.body() else {}
    given = read_as(body, RefreshToken, _example(_REFRESH)).refresh_token
    if given is not None:
        return given, False
    kept = read_cookie(request)
    if not kept:
        raise bad_request("invalid-input", "refresh_token", _NOTHING_SENT)
    return kept, True


def _tokens(parts: Parts, request: Request, grant: Grant, *, in_cookie: bool) -> Response:
    now_ns = parts.clock_ns()
    said = Tokens(
        access_token=grant.access_token,
        expires_in=_seconds(grant.access_expires_ns - now_ns),
        expires_at=time_text(grant.access_expires_ns),
        refresh_token=UNSET if in_cookie else grant.refresh_token,
        refresh_expires_at=time_text(grant.refresh_expires_ns),
        scopes=sorted(grant.scopes),
    )
    response = live_json(msgspec.json.encode(said))
    if in_cookie:
        put_cookie(response, request, grant.refresh_token, _seconds(grant.refresh_expires_ns - now_ns))
    return response


def _seconds(duration_ns: int) -> int:
    return -(-duration_ns // NS_PER_SECOND)
