"""Errors as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gateway.access.scopes import ScopeTable

PROBLEM_MEDIA_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:tickcast:problem:"


class ProblemError(Exception):
    """An answer that is an error.

    Args:
        status: Of HTTP.
        name: The problem type's short name, like `unknown-ticker`.
        detail: What is wrong, and the fix.
        headers: Further headers.
        extra: Further members of the answer.
    """

    def __init__(
        self, status: HTTPStatus, name: str, detail: str, headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.headers = headers
        self.extra = extra

    def document(self) -> dict[str, Any]:
        """Give the members of the answer."""
        return {
            "type": _TYPE_PREFIX + self.name,
            "title": self.name.replace("-", " ").capitalize(),
            "status": int(self.status),
            "detail": self.detail,
            **self.extra,
        }

    def response(self) -> Response:
        """Give the answer."""
        return Response(
            msgspec.json.encode(self.document()),
            status_code=self.status,
            headers={"Cache-Control": "no-store", **(self.headers or {})},
            media_type=PROBLEM_MEDIA_TYPE,
        )


def bad_request(name: str, field: str, detail: str, **extra: Any) -> ProblemError:
    """Give the answer to a value that cannot be used."""
    return ProblemError(HTTPStatus.BAD_REQUEST, name, detail, field=field, **extra)


def not_caught_up(**extra: Any) -> ProblemError:
    """Give the answer while the view is being filled."""
    detail = "the latest predictions are being read from Kafka: try again in a second"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "catching-up", detail, {"Retry-After": "1"}, **extra)


def stopping(**extra: Any) -> ProblemError:
    """Give the answer while the gateway stops."""
    detail = "the gateway is shutting down: try again in a few seconds"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "stopping", detail, {"Retry-After": "5"}, **extra)


def too_many_clients(maximum: int) -> ProblemError:
    """Give the answer where no further WebSocket client fits."""
    detail = f"{maximum} WebSocket clients are connected, the limit set by TICKCAST_MAXIMUM_CLIENTS; try again later"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too-many-clients", detail, {"Retry-After": "30"})


def too_many_connections(maximum: int) -> ProblemError:
    """Give the answer where no further connection of any kind fits."""
    detail = (
        f"{maximum} connections are open, the limit set by TICKCAST_MAXIMUM_CLIENTS and "
        "TICKCAST_MAXIMUM_HTTP_CONNECTIONS; try again later"
    )
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too-many-connections", detail, {"Retry-After": "30"})


def upgrade_required() -> ProblemError:
    """Give the answer where plain HTTP asks for the WebSocket."""
    detail = "this is the WebSocket: open it with a WebSocket client, or GET /predictions"
    return ProblemError(HTTPStatus.UPGRADE_REQUIRED, "upgrade-required", detail, {"Upgrade": "websocket"})


def nothing_here(path: str, instead: str) -> ProblemError:
    """Give the answer where there is nothing."""
    return ProblemError(HTTPStatus.NOT_FOUND, "not-found", f"there is nothing at {path[:100]}: {instead}")


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 -- registered for this class only
    return error.response()


async def _http_error(table: ScopeTable, request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 -- registered for this class only
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.NOT_FOUND:
        return nothing_here(request.url.path, "/docs lists what there is").response()
    detail = str(error.detail)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(table.methods(request.scope["path"]))
        if request.method == "OPTIONS":  # no route has it: it is answered here, for all of them
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": headers["Allow"]})
        detail = f"{request.url.path[:100]} does not accept {request.method}: use {headers['Allow']}"
    return ProblemError(status, status.phrase.lower().replace(" ", "-"), detail, headers).response()


async def _invalid_input(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 -- registered for this class only
    wrong = [{"field": _field(e["loc"]), "message": e["msg"]} for e in error.errors()]
    detail = "; ".join(f"{e['field']}: {e['message']}" for e in wrong)
    return ProblemError(
        HTTPStatus.BAD_REQUEST, "invalid-input", detail, field=wrong[0]["field"], errors=wrong
    ).response()


def _field(place: tuple[str | int, ...]) -> str:
    """Name a field as whoever sent it does: `horizon`, or `body` for a body that is no JSON."""
    _, *names = place
    return ".".join(map(str, names)) or str(place[0])


async def _unexpected(_request: Request, _error: Exception) -> Response:
    detail = "the gateway failed on this request; its log says why"
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-server-error", detail).response()


def handle_errors(app: FastAPI, table: ScopeTable) -> None:
    """Make every error of the app a problem document; the table says which methods a path has."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, partial(_http_error, table))
    app.add_exception_handler(RequestValidationError, _invalid_input)
    app.add_exception_handler(Exception, _unexpected)
