"""Spans to an OpenTelemetry collector, by OTLP over HTTP; `OTEL_EXPORTER_OTLP_*` and `OTEL_BSP_*` say where and how."""

import threading

from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from schemas import VERSION
from schemas.codec import span_id_of, trace_id_of
from schemas.logs import say_seldom
from schemas.tracing import Span

#: OpenTelemetry's names, and ours where it has none.
_NAMES = {
    "partition": "messaging.destination.partition.id",
    "offset": "messaging.kafka.offset",
    "ticker": "tickcast.ticker",
    "event_id": "tickcast.event_id",
    "ticks": "tickcast.ticks",
}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


def _context(traceparent: str, *, is_remote: bool) -> SpanContext:
    trace_id, span_id = int(trace_id_of(traceparent), 16), int(span_id_of(traceparent), 16)
    return SpanContext(trace_id, span_id, is_remote, _SAMPLED)


class OtlpSender:
    """Queues spans for a thread that sends them; when the queue is full, the oldest are dropped."""

    def __init__(self, service: str, instance: str, topic_prefix: str) -> None:
        say_seldom(trace_exporter.__name__)  # at every attempt while the collector is away
        self._prefix = topic_prefix
        self._scope = InstrumentationScope("tickcast", VERSION)
        self._resource = Resource.create(
            {
                "service.name": service,
                "service.namespace": "tickcast",
                "service.instance.id": instance,
                "service.version": VERSION,
            }
        )
        self._processor = BatchSpanProcessor(trace_exporter.OTLPSpanExporter())

    def send(self, span: Span) -> None:
        """Queue a span."""
        self._processor.on_end(self._readable(span))

    def close(self, within_seconds: float) -> None:
        """Send what is queued; what the collector does not take in time is lost."""
        closing = threading.Thread(target=self._processor.shutdown, name="traces-close", daemon=True)
        closing.start()
        closing.join(within_seconds)

    def _readable(self, span: Span) -> ReadableSpan:
        """Make a span that has ended: the ids and times are the events' own, which the SDK's tracer would not take."""
        return ReadableSpan(
            span.hop.name,
            _context(span.traceparent, is_remote=False),
            None if span.parent is None else _context(span.parent, is_remote=span.hop.topic is not None),
            self._resource,
            self._attributes(span),
            kind=SpanKind.PRODUCER if span.hop.produces else SpanKind.CONSUMER,
            start_time=span.started_ns,
            end_time=max(span.started_ns, span.ended_ns),  # the clocks of two machines differ
            instrumentation_scope=self._scope,
        )

    def _attributes(self, span: Span) -> dict[str, str | int]:
        said: dict[str, str | int] = {_NAMES[name]: value for name, value in span.attributes.items()}
        if (topic := span.hop.topic) is not None:
            said |= {
                "messaging.system": "kafka",
                "messaging.operation.name": span.hop.operation,
                "messaging.operation.type": span.hop.operation,
                "messaging.destination.name": self._prefix + topic.name,
                "messaging.destination.partition.id": str(span.attributes["partition"]),
            }
        return said
