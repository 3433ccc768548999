"""Parts that have something to say at every path."""

from typing import Any

from msgspec import structs

from gateway.parts import Parts
from gateway.routes.commands import MODEL_SET_EXAMPLE
from gateway.routes.jobs import JOB_EXAMPLE
from gateway.routes.sources import SOURCE_EXAMPLE
from schemas.events import HoldOutScore, ModelCommand, ServiceState, SourceStatus
from schemas.topics import MODEL_COMMANDS, MODELS
from tests.gateway.boards import board
from tests.gateway.command_topic import CommandTopic, read
from tests.gateway.predictor import Predictor
from tests.gateway.recorder.events import example
from tests.gateway.samples import NOON_NS, make_parts, model_event, model_member, prediction, status

_SCORE = HoldOutScore(horizon=1, count=9, mean_absolute_error=0.1, root_mean_squared_error=0.2)


def full_parts(**changes: Any) -> Parts:
    """Give predictions, scoreboards, a model set, services, and a job; `changes` are settings."""
    live = (prediction("AAPL", 1), prediction("MSFT", 2), prediction("BRK.B", 3, degraded="lstm: missing"))
    parts = make_parts(*live, **changes)
    parts.board.set_state(ServiceState.READY)
    for each in (board("AAPL"), board("*", drift={"retrain": "asked"})):
        parts.scores.accept(each)
    members = [model_member(hold_out=[_SCORE], feature_importance={"gap": 0.1})]
    parts.models.accept(model_event(members=members, baselines={"no_change": [_SCORE]}, tickers=["AAPL"]), 0)
    parts.services.accept(status("predictor", latency_seconds={"p50": 0.01}), NOON_NS)
    source = SourceStatus(source=SOURCE_EXAMPLE, plays="alpaca", changeable=True, tickers=["AAPL"])
    parts.services.accept(status("ingestor", sources=[source]), NOON_NS)
    parts.stage_times.note(prediction("AAPL", 1), NOON_NS)
    Predictor(parts)
    CommandTopic(parts)
    command = structs.replace(example(ModelCommand), id=JOB_EXAMPLE, requested_at_ns=NOON_NS)
    read(parts, MODEL_COMMANDS, command)
    read(parts, MODELS, model_event(MODEL_SET_EXAMPLE, NOON_NS - 1, command_id=JOB_EXAMPLE))
    return parts
