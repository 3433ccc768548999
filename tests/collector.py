"""An OpenTelemetry collector of a test: takes OTLP over HTTP as documented, protobuf at /v1/traces."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Received:
    """One span, and which service sent it.

    Attributes:
        parent_id: Empty where it is the first of its trace.
    """

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: dict[str, str | int]


@dataclass
class Collector:
    """What came in; may be made to hold its answers."""

    port: int = 0
    spans: list[Received] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def environment(self) -> dict[str, str]:
        """Give the standard variables that lead here."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}", "OTEL_BSP_SCHEDULE_DELAY": "200"}

    def take(self, body: bytes) -> None:
        """Keep the spans of a request."""
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = {each.key: each.value.string_value for each in of_resource.resource.attributes}
            for of_scope in of_resource.scope_spans:
                self.spans += [_received(resource["service.name"], span) for span in of_scope.spans]


def _received(service: str, span: Span) -> Received:
    attributes: dict[str, str | int] = {}
    for each in span.attributes:
        kind = each.value.WhichOneof("value")
        attributes[each.key] = each.value.int_value if kind == "int_value" else each.value.string_value
    return Received(
        service,
        span.name,
        Span.SpanKind.Name(span.kind),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        attributes,
    )


@contextmanager
def collector() -> Iterator[Collector]:
    """Give a running one; it answers until told not to."""
    ours = Collector()
    ours.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            ours.asked.set()
            ours.may_answer.wait()
            right = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
            if right:
                ours.take(body)
            self.send_response(200 if right else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    ours.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield ours
    finally:
        ours.may_answer.set()
        server.shutdown()
        server.server_close()
