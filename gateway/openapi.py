"""The OpenAPI document, with errors and predictions as the gateway answers them."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from msgspec import Struct

from gateway.access.documents import RegisteredUser, Ticket, Tokens
from gateway.accuracy import Accuracy
from gateway.accuracy_dates import AccuracyDates
from gateway.accuracy_series import AccuracySeries
from gateway.batch import FailedTicker
from gateway.batch_jobs import BatchJob
from gateway.command_desk import Accepted
from gateway.documents import ProblemDocument
from gateway.examples import examples
from gateway.feedback import FeedbackReceipt
from gateway.forecasts import OwnForecast
from gateway.history import History
from gateway.jobs import ModelJob
from gateway.members import Comparison
from gateway.model_wishes import LoadBody, ReasonBody, UnloadBody
from gateway.past_bars import PastFeatures
from gateway.performance import PerformanceMetrics, PerformanceSummary, Warmup
from gateway.problems import PROBLEM_MEDIA_TYPE
from gateway.reasons import ReasonedPrediction
from gateway.source_jobs import SourceJob
from gateway.source_wishes import SourceBody
from gateway.sources import PlayingSources
from gateway.usage_report import UsageReport
from gateway.versioned import API_PREFIX
from schemas.json_schemas import component_schemas
from schemas.public import PastBars, PublicPredictions

_JSON = "application/json"
_COMPONENT = "#/components/schemas/{name}"
_TOO_MANY: dict[str, Any] = {
    "model": ProblemDocument,
    "description": "Too many requests: come back after `Retry-After`",
    "headers": {"Retry-After": {"description": "In seconds", "schema": {"type": "integer", "minimum": 1}}},
}
#: What answers are made of that pydantic does not describe, with all that is in it.
_SHAPES: tuple[type[Struct], ...] = (
    PublicPredictions,
    Accepted,
    Accuracy,
    AccuracyDates,
    AccuracySeries,
    BatchJob,
    Comparison,
    ReasonBody,
    PlayingSources,
    ReasonedPrediction,
    SourceBody,
    SourceJob,
    UnloadBody,
    FailedTicker,
    FeedbackReceipt,
    History,
    LoadBody,
    ModelJob,
    OwnForecast,
    PastBars,
    PastFeatures,
    PerformanceMetrics,
    PerformanceSummary,
    RegisteredUser,
    Ticket,
    Tokens,
    UsageReport,
    Warmup,
)


def of_contract(message_type: type[Struct]) -> dict[str, Any]:
    """Declare a response whose shape is in the contract."""
    return of_schema(reference(message_type.__name__))


def of_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Declare a response by its schema."""
    return {"description": "Successful Response", "content": {_JSON: {"schema": schema}}}


def of_text(example: str) -> dict[str, Any]:
    """Declare a response that is plain text."""
    content = {"text/plain": {"schema": {"type": "string"}, "example": example}}
    return {"description": "Successful Response", "content": content}


def reference(name: str) -> dict[str, Any]:
    """Refer to a shape."""
    return {"$ref": _COMPONENT.format(name=name)}


#: The predictions of a batch.
PREDICTIONS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "predictions": {
            "type": "array",
            "items": {"anyOf": [reference("PublicPrediction"), reference("FailedTicker")]},
        }
    },
}


def accepted() -> dict[str, Any]:
    """Declare a response that names a job."""
    described = {"Location": {"description": "Where the job is asked for", "schema": {"type": "string"}}}
    return of_contract(Accepted) | {"description": "Taken: the job tells the rest", "headers": described}


def json_body(schema: dict[str, Any], example: Any, *, required: bool = True) -> dict[str, Any]:
    """Declare the body of a request that the route reads itself."""
    return {"requestBody": {"required": required, "content": {_JSON: {"schema": schema, "example": example}}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare the errors of a route, that it may be asked too often, and that all others are problem documents too (so
    that there is no 422)."""
    declared: dict[int | str, dict[str, Any]] = {
        status: {"model": ProblemDocument, "description": HTTPStatus(status).phrase} for status in statuses
    }
    return declared | {429: _TOO_MANY, "default": {"model": ProblemDocument, "description": "Any other error"}}


def _as_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Give errors the media type that they have."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if not status.startswith("2") and _JSON in content:
                    content[PROBLEM_MEDIA_TYPE] = content.pop(_JSON)
    return document


def _with_prefix(document: dict[str, Any]) -> dict[str, Any]:
    document["paths"] = {API_PREFIX + path: operations for path, operations in document["paths"].items()}
    return document


def _with_contract(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    schemas |= component_schemas(_SHAPES, _COMPONENT)
    for name, example in examples().items():
        schemas[name]["examples"] = [example]
    return document


def declare_responses(app: FastAPI) -> None:
    """Make the app's OpenAPI document declare errors as problem documents, shapes of the contract, and full paths."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        return app.openapi_schema if app.openapi_schema else _with_prefix(_with_contract(_as_problems(made())))

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way
