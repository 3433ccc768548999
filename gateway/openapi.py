"""The OpenAPI document, with errors as the gateway answers them."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from gateway.documents import ProblemDocument
from gateway.problems import PROBLEM_MEDIA_TYPE

_JSON = "application/json"


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare the errors of a route, and that all others are problem documents too (so that there is no 422)."""
    declared: dict[int | str, dict[str, Any]] = {
        status: {"model": ProblemDocument, "description": HTTPStatus(status).phrase} for status in statuses
    }
    return declared | {"default": {"model": ProblemDocument, "description": "Any other error"}}


def _as_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Give errors the media type that they have."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if not status.startswith("2") and _JSON in content:
                    content[PROBLEM_MEDIA_TYPE] = content.pop(_JSON)
    return document


def declare_problem_responses(app: FastAPI) -> None:
    """Make the app's OpenAPI document declare errors as problem documents."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        return app.openapi_schema if app.openapi_schema else _as_problems(made())

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way
