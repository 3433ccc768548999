"""What a hop says of a followed trace, and what it costs where none is."""

import json
import logging
import subprocess
import sys

import pytest

from schemas.codec import child_traceparent, is_sampled, new_traceparent, span_id_of, trace_id_of
from schemas.errors import StopAndSayError
from schemas.logs import JsonFormatter, current_trace_id
from schemas.settings import Settings
from schemas.tracing import DELIVER_PREDICTION, PROCESS_TICKS, tracing
from tests.collector import collector
from tests.processes import free_port

SAMPLED = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
UNSAMPLED = SAMPLED[:-1] + "0"


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, topic_prefix="p.", instance="one", **given)  # type: ignore[arg-type]


def test_a_share_of_the_traces_is_sampled_and_nobody_decides_again() -> None:
    assert not any(is_sampled(new_traceparent()) for _ in range(100))
    assert all(is_sampled(new_traceparent(1.0)) for _ in range(100))
    assert 150 < sum(is_sampled(new_traceparent(0.1)) for _ in range(2_500)) < 350
    child = child_traceparent(SAMPLED)
    assert trace_id_of(child) == trace_id_of(SAMPLED)
    assert span_id_of(child) != span_id_of(SAMPLED)
    assert is_sampled(child)
    with tracing(settings(traces="logs", traces_ratio=1.0), "s") as tracer:
        assert tracer is not None
        assert tracer.follow(PROCESS_TICKS, UNSAMPLED, 1, 2, ticker="A") == UNSAMPLED


def test_off_means_nothing_is_there_and_the_sdk_is_not_imported() -> None:
    code = (
        "import sys\n"
        "import ingestor.service, feature_stream.service, predictor.service, gateway.service\n"
        "from schemas.settings import Settings\n"
        "from schemas.tracing import tracing\n"
        "for traces in ('off', 'logs'):\n"
        "    with tracing(Settings(_env_file=None, traces=traces), 's') as tracer:\n"
        "        print(tracer is None)\n"
        "ours = ('opentelemetry.sdk', 'opentelemetry.exporter', 'schemas.otlp')\n"
        "print([name for name in sys.modules if name.startswith(ours)])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["True", "False", "[]", ""]


def test_where_the_sdk_is_missing_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http", None)
    monkeypatch.delitem(sys.modules, "schemas.otlp", raising=False)
    with (
        pytest.raises(StopAndSayError, match=r"pip install 'tickcast\[traces\]'"),
        tracing(settings(traces="otlp"), "s"),
    ):
        pass


def test_a_hop_is_a_log_record_and_a_span_with_kafkas_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "schemas.tracing")
    with collector() as ours:
        for name, value in ours.environment().items():
            monkeypatch.setenv(name, value)
        with tracing(settings(traces="otlp"), "feature_stream") as tracer:
            assert tracer is not None
            carried = tracer.follow(
                PROCESS_TICKS, SAMPLED, 1_000, 3_001_000, ticker="A", event_id="e", partition=3, offset=7
            )
            tracer.follow(DELIVER_PREDICTION, carried, 5, 4, ticker="A", event_id="e")  # a clock that went back
        [span, delivery] = ours.spans
    assert (span.service, span.name, span.kind) == ("feature_stream", "process ticks", "SPAN_KIND_CONSUMER")
    assert (span.trace_id, span.parent_id) == (trace_id_of(SAMPLED), span_id_of(SAMPLED))
    assert (span.span_id, delivery.parent_id) == (span_id_of(carried), span_id_of(carried))
    assert (span.start_ns, span.end_ns) == (1_000, 3_001_000)
    assert (delivery.start_ns, delivery.end_ns) == (5, 5)
    assert span.attributes == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "p.ticks",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 7,
        "tickcast.ticker": "A",
        "tickcast.event_id": "e",
    }
    entry = json.loads(JsonFormatter("feature_stream").format(caplog.records[0]))
    assert entry["message"] == "process ticks: 3.000 ms"
    assert (entry["trace_id"], entry["span_id"]) == (span.trace_id, span.span_id)
    assert (entry["ticker"], entry["partition"], entry["offset"]) == ("A", 3, 7)


def test_a_collector_that_never_answers_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "600")
    with collector() as ours:
        ours.may_answer.clear()
        for name, value in ours.environment().items():
            monkeypatch.setenv(name, value)
        with tracing(settings(traces="otlp"), "s") as tracer:
            assert tracer is not None
            for offset in range(10_000):  # more than are queued
                tracer.follow(PROCESS_TICKS, SAMPLED, 1, 2, ticker="A", event_id="e", partition=0, offset=offset)
            assert ours.asked.wait(60)
        assert ours.spans == []  # all of the above came to its end while it still held its answer


def test_a_collector_that_is_away_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    for _ in range(3):
        with tracing(settings(traces="otlp"), "s") as tracer:
            assert tracer is not None
            tracer.follow(PROCESS_TICKS, SAMPLED, 1, 2, ticker="A", event_id="e", partition=0, offset=1)
    said = [record.msg for record in caplog.records if record.name.startswith("opentelemetry")]
    assert said
    assert len(said) == len(set(said))


def test_a_record_of_a_request_has_its_trace_id_and_one_of_another_trace_keeps_its_own() -> None:
    formatter = JsonFormatter("gateway")
    record = logging.LogRecord("x", logging.INFO, "", 0, "said", (), None)
    token = current_trace_id.set("a" * 32)
    try:
        assert json.loads(formatter.format(record))["trace_id"] == "a" * 32
        record.__dict__["trace_id"] = "b" * 32  # as `extra` does it
        assert json.loads(formatter.format(record))["trace_id"] == "b" * 32
    finally:
        current_trace_id.reset(token)
    del record.__dict__["trace_id"]
    assert "trace_id" not in json.loads(formatter.format(record))
