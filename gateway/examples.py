"""Examples for the OpenAPI document, made of those of the contract by the code that makes the answers."""

from typing import Any

import msgspec
from msgspec import structs

from gateway.access.documents import RegisteredUser, Ticket, Tokens
from gateway.accuracy import accuracy
from gateway.accuracy_dates import accuracy_dates
from gateway.accuracy_series import accuracy_series
from gateway.command_desk import Accepted, href_of
from gateway.database.outcomes import DateHits, DateSums, Sums
from gateway.feedback import FeedbackReceipt
from gateway.jobs import JobsView, ModelJob
from gateway.members import compare
from gateway.model_wishes import POOLED
from gateway.presentation import public_form
from gateway.problems import not_caught_up
from gateway.reasons import reasoning_of
from gateway.recorded_examples import examples_of_recorded
from gateway.source_jobs import SourceJobsView
from gateway.sources import PlayingSources, sources_of
from gateway.system_examples import examples_of_system
from gateway.usage_report import KeyUsage, UsageReport
from schemas.asyncapi_messages import read_example
from schemas.events import (
    CommandProgress,
    CommandState,
    ModelCommand,
    ModelEvent,
    Outcome,
    Prediction,
    Scoreboard,
    ServiceStatus,
    SourceCommand,
    SourceStatus,
)
from schemas.public import PublicPredictions

_TRAINED_NS = 90_000_000_000
_USAGE = KeyUsage(
    key="5f2c9a01d3e4", name="board", month="2026-11", requests=1_200, errors=3, messages=86_400, bytes=51_840_000
)


def examples() -> dict[str, Any]:
    """Give an example of each shape that has one, by its name."""
    prediction = public_form(msgspec.convert(read_example("Prediction"), Prediction))
    board = msgspec.convert(read_example("Scoreboard"), Scoreboard)
    outcome = msgspec.convert(read_example("Outcome"), Outcome)
    event = msgspec.convert(read_example("ModelEvent"), ModelEvent)
    reasoning = reasoning_of(prediction, prediction.prediction.horizon, board, event)
    command = msgspec.convert(read_example("ModelCommand"), ModelCommand)
    dates = [DateSums(outcome.horizon, outcome.matured_ns, _sums_of(outcome))]
    hits = DateHits(outcome.matured_ns, 1, int(bool(outcome.hit)), int(outcome.actual_log_return > 0))
    shapes = {
        "Accepted": Accepted(job=command.id, status=CommandState.QUEUED, href=href_of(command.id), note=POOLED),
        "ModelJob": _job(command, event),
        **_of_sources(),
        "PublicPrediction": prediction,
        "PublicPredictions": PublicPredictions(count=1, predictions=[prediction]),
        "ReasonedPrediction": msgspec.to_builtins(prediction) | {"reasoning": msgspec.to_builtins(reasoning)},
        "Accuracy": accuracy(board.ticker, board, event, [], retrain=False),
        "UsageReport": UsageReport(counted=True, message="", usage=[_USAGE]),
        "AccuracyDates": accuracy_dates(outcome.ticker, outcome.interval, outcome.horizon, [hits], 1),
        "AccuracySeries": accuracy_series(outcome.ticker, outcome.interval, dates, len(dates)),
        "Comparison": compare(prediction, board, event),
        "FeedbackReceipt": FeedbackReceipt(id="5f0e8c1d9a7b4c3e2d1f0a9b", created_at=prediction.updated_at),
        "ProblemDocument": not_caught_up().document(),
        **_of_accounts(),
        **examples_of_recorded(_sums_of(outcome)),
        **examples_of_system(prediction, event),
    }
    return {name: msgspec.to_builtins(shape) for name, shape in shapes.items()}


def _of_accounts() -> dict[str, Any]:
    token, then = "eyJhbGciOiJIUzI1NiIs…", "2026-01-31T12:10:00Z"
    scopes = ["read", "stream"]
    return {
        "RegisteredUser": RegisteredUser(id="5f2c9a01d3e4", username="ada", scopes=scopes),
        "Ticket": Ticket(ticket=token, expires_at="2026-01-31T12:00:30Z"),
        "Tokens": Tokens(
            access_token=token,
            expires_in=600,
            expires_at=then,
            refresh_token=token,
            refresh_expires_at="2026-03-02T12:00:00Z",
            scopes=scopes,
        ),
    }


def _of_sources() -> dict[str, Any]:
    command = msgspec.convert(read_example("SourceCommand"), SourceCommand)
    now_ns = command.requested_at_ns + _TRAINED_NS
    source = SourceStatus(
        source=command.source,
        plays="alpaca",
        changeable=True,
        tickers=["AAPL", *command.tickers],
        paused_ns=dict.fromkeys(command.tickers, command.requested_at_ns),
        commands_before=1,
        last_tick_ns=now_ns,
        latency_seconds=0.042,
    )
    answer = CommandProgress(
        id=command.id, action=command.action, state="done", progress=1.0, message="plays AAPL; paused: MSFT"
    )
    status = structs.replace(
        msgspec.convert(read_example("ServiceStatus"), ServiceStatus),
        service="ingestor",
        message="live prices of AAPL from alpaca",
        sources=[source],
        commands=[answer],
    )
    jobs = SourceJobsView()
    jobs.asked(command)
    jobs.told(status)
    return {
        "SourceJob": jobs.find(command.id, [status], now_ns),
        "PlayingSources": PlayingSources(sources_of([status])),
    }


def _job(command: ModelCommand, event: ModelEvent) -> ModelJob | None:
    jobs = JobsView()
    jobs.asked(command)
    jobs.decided(structs.replace(event, command_id=command.id, decided_at_ns=command.requested_at_ns + _TRAINED_NS))
    return jobs.find(command.id, [], command.requested_at_ns)


def _sums_of(outcome: Outcome) -> Sums:
    """Sum up a single outcome, which has a direction and intervals."""
    return Sums(
        matured=1,
        counted=1,
        trials=1,
        hits=int(bool(outcome.hit)),
        usual_trials=1,
        usual_hits=int(outcome.actual_log_return > 0),
        hits_beside_usual=int(bool(outcome.hit)),
        error=abs(outcome.actual_log_return - outcome.predicted_log_return),
        no_change_error=abs(outcome.actual_log_return),
        known_95=1,
        inside_95=int(bool(outcome.inside_95)),
        known_99=1,
        inside_99=int(bool(outcome.inside_99)),
    )
