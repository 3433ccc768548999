"""Examples for the OpenAPI document, made of those of the contract by the code that makes the answers."""

from typing import Any

import msgspec
from msgspec import structs

from gateway.accuracy import accuracy
from gateway.command_desk import POOLED, Accepted, href_of
from gateway.jobs import JobsView, ModelJob
from gateway.members import compare
from gateway.presentation import public_form
from gateway.problems import not_caught_up
from gateway.reasons import reasoning_of
from gateway.usage_report import KeyUsage, UsageReport
from schemas.asyncapi_messages import read_example
from schemas.events import CommandState, ModelCommand, ModelEvent, Prediction, Scoreboard
from schemas.public import PublicPredictions

_TRAINED_NS = 90_000_000_000
_USAGE = KeyUsage(
    key="5f2c9a01d3e4", name="board", month="2026-11", requests=1_200, errors=3, messages=86_400, bytes=51_840_000
)


def examples() -> dict[str, Any]:
    """Give an example of each shape that has one, by its name."""
    prediction = public_form(msgspec.convert(read_example("Prediction"), Prediction))
    board = msgspec.convert(read_example("Scoreboard"), Scoreboard)
    event = msgspec.convert(read_example("ModelEvent"), ModelEvent)
    reasoning = reasoning_of(prediction, prediction.prediction.horizon, board, event)
    command = msgspec.convert(read_example("ModelCommand"), ModelCommand)
    shapes = {
        "Accepted": Accepted(job=command.id, status=CommandState.QUEUED, href=href_of(command.id), note=POOLED),
        "ModelJob": _job(command, event),
        "PublicPrediction": prediction,
        "PublicPredictions": PublicPredictions(count=1, predictions=[prediction]),
        "ReasonedPrediction": msgspec.to_builtins(prediction) | {"reasoning": msgspec.to_builtins(reasoning)},
        "Accuracy": accuracy(board.ticker, board, event, [], retrain=False),
        "UsageReport": UsageReport(counted=True, message="", usage=[_USAGE]),
        "Comparison": compare(prediction, board, event),
        "ProblemDocument": not_caught_up().document(),
    }
    return {name: msgspec.to_builtins(shape) for name, shape in shapes.items()}


def _job(command: ModelCommand, event: ModelEvent) -> ModelJob | None:
    jobs = JobsView()
    jobs.asked(command)
    jobs.decided(structs.replace(event, command_id=command.id, decided_at_ns=command.requested_at_ns + _TRAINED_NS))
    return jobs.find(command.id, [], command.requested_at_ns)
