"""Traces at the gateway: of predictions to the first client, and of requests."""

import dataclasses
import json
import logging
from typing import Any

import pytest

from gateway.followed import delivered
from gateway.intake import Intake
from gateway.messages import Message
from gateway.parts import Parts
from gateway.settings import GatewaySettings
from schemas.codec import encode, trace_id_of
from schemas.logs import JsonFormatter
from schemas.topics import PREDICTIONS_LATEST
from schemas.tracing import Span, Tracer
from tests.gateway.full_parts import full_parts
from tests.gateway.samples import SampleRecord, make_parts, prediction
from tests.gateway.web import client_of

SAMPLED = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


class Sender:
    """Keeps spans."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def send(self, span: Span) -> None:
        self.spans.append(span)

    def close(self, within_seconds: float) -> None: ...


def taken(parts: Parts, traceparent: str) -> None:
    event = prediction("AAPL", 2)
    headers = (("traceparent", traceparent.encode()),)
    record = SampleRecord(2, encode(event), 1, b"AAPL", headers=headers)
    Intake(parts, lambda _: None).take(PREDICTIONS_LATEST.name, record)


def test_a_followed_prediction_is_told_of_when_it_comes_and_when_the_first_client_has_it() -> None:
    sender = Sender()
    tracer = Tracer(GatewaySettings(_env_file=None), sender)
    parts = dataclasses.replace(make_parts(prediction("AAPL", 1)), tracer=tracer)
    taken(parts, SAMPLED)
    entry = parts.latest.get("AAPL")
    assert entry is not None
    messages = [Message("heartbeat", b""), entry.message(), entry.message(packed=True)]
    for _ in range(2):
        delivered(tracer, messages, parts.clock_ns())
    [came, went] = sender.spans
    assert (came.hop.name, went.hop.name) == ("process predictions-latest", "deliver prediction")
    assert (came.parent, went.parent) == (SAMPLED, came.traceparent)
    assert (came.attributes["partition"], came.attributes["offset"]) == (1, 2)
    assert came.ended_ns == went.started_ns


def test_one_that_nobody_follows_costs_a_look_at_its_flag() -> None:
    sender = Sender()
    tracer = Tracer(GatewaySettings(_env_file=None), sender)
    parts = dataclasses.replace(make_parts(prediction("AAPL", 1)), tracer=tracer)
    taken(parts, SAMPLED[:-1] + "0")
    entry = parts.latest.get("AAPL")
    assert entry is not None
    assert entry.followed is None
    delivered(tracer, [entry.message()], 0)
    assert sender.spans == []


async def test_a_requests_trace_is_in_its_log_records_and_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[dict[str, Any]] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(json.loads(JsonFormatter("gateway").format(record)))

    log = logging.getLogger("tests.answering")
    monkeypatch.setattr(log, "handlers", [Handler()])
    parts = dataclasses.replace(full_parts(), tracer=Tracer(GatewaySettings(_env_file=None)))
    monkeypatch.setattr(parts.instruments, "count_answer", lambda *_: log.warning("answered"))
    async with client_of(parts) as client:
        ours = await client.get("/predict/AAPL", headers={"traceparent": SAMPLED})
        others = [await client.get("/predict/AAPL", headers={"traceparent": "garbage"}), await client.get("/nothing")]
    ids = [each.headers["x-trace-id"] for each in (ours, *others)]
    assert ids[0] == trace_id_of(SAMPLED)
    assert len({*ids}) == 3
    assert [each["trace_id"] for each in said] == ids


async def test_without_traces_an_answer_has_no_trace_id_and_no_layer_asks_for_one() -> None:
    async with client_of(full_parts()) as client:
        answer = await client.get("/predict/AAPL", headers={"traceparent": SAMPLED})
    assert "x-trace-id" not in answer.headers
