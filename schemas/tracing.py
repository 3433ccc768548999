"""One trace from tick to client: what each service says of the events that are followed, and where that goes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from schemas.codec import child_traceparent, is_sampled, new_traceparent, span_id_of, trace_id_of
from schemas.errors import StopAndSayError
from schemas.settings import Settings
from schemas.topics import FEATURES, PREDICTIONS_LATEST, TICKS, Topic

#: A collector that does not answer may hold the end of a service for so long.
FLUSH_SECONDS = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hop:
    """A step of an event's way, in OpenTelemetry's words for messaging.

    Attributes:
        operation: Like `send` or `process`.
        produces: It gives something to others; else it makes something of what it read.
        topic: That is written or read; None: it is not Kafka's.
    """

    operation: str
    produces: bool
    topic: Topic | None

    @property
    def name(self) -> str:
        """Give the span's name, of which there are few."""
        return self.operation if self.topic is None else f"{self.operation} {self.topic.name}"


SEND_TICKS = Hop("send", True, TICKS)
PROCESS_TICKS = Hop("process", False, TICKS)
PROCESS_FEATURES = Hop("process", False, FEATURES)
PROCESS_PREDICTIONS = Hop("process", False, PREDICTIONS_LATEST)
#: To the first client that gets it.
DELIVER_PREDICTION = Hop("deliver prediction", True, None)


@dataclass(frozen=True, slots=True)
class Span:
    """What one hop did with one event.

    Attributes:
        traceparent: Its own: what it makes carries this on.
        parent: Of the hop before; None: it is the first.
        attributes: `ticker`, `event_id`, `partition`, `offset`, `ticks`, as far as the hop has them.
    """

    hop: Hop
    traceparent: str
    parent: str | None
    started_ns: int
    ended_ns: int
    attributes: dict[str, str | int]


class SpanSender(Protocol):
    """Takes spans away; never waits for anybody."""

    def send(self, span: Span) -> None:
        """Take one."""

    def close(self, within_seconds: float) -> None:
        """Send what is left, as far as the time allows."""


class Tracer:
    """Says what becomes of followed events. Whether a trace is followed was decided where it began."""

    def __init__(self, settings: Settings, sender: SpanSender | None = None) -> None:
        """Write into the log, and to a sender if there is one."""
        self._share = settings.traces_ratio
        self._prefix = settings.topic_prefix
        self._sender = sender

    def begin(self) -> str:
        """Begin a trace, and decide whether all shall follow it."""
        return new_traceparent(self._share)

    def follow(self, hop: Hop, traceparent: str, started_ns: int, ended_ns: int, **attributes: str | int) -> str:
        """Say what a hop did, if the trace is followed; give the context that its event carries on.

        Args:
            traceparent: Of the hop before.
            started_ns: Where the hop before ended by the event's stamps: the way here is a part of this hop.
            ended_ns: When its event was made.
            attributes: As of `Span`.
        """
        if not is_sampled(traceparent):
            return traceparent
        child = child_traceparent(traceparent)
        self.tell(Span(hop, child, traceparent, started_ns, ended_ns, attributes))
        return child

    def tell(self, span: Span) -> None:
        """Say what a hop of a followed trace did."""
        ids = {"trace_id": trace_id_of(span.traceparent), "span_id": span_id_of(span.traceparent)}
        milliseconds = (span.ended_ns - span.started_ns) / 1_000_000
        extra = {"event": "span", "span": span.hop.name, "milliseconds": milliseconds, **ids, **span.attributes}
        _log.info("%s: %.3f ms", span.hop.name, milliseconds, extra=extra)
        if self._sender is not None:
            self._sender.send(span)

    def close(self) -> None:
        """Send what is left, for `FLUSH_SECONDS` at most."""
        if self._sender is not None:
            self._sender.close(FLUSH_SECONDS)


@contextmanager
def tracing(settings: Settings, service: str) -> Iterator[Tracer | None]:
    """Give what follows traces; None where nobody wants them followed: events then carry on the trace that they have.

    Raises:
        StopAndSayError: The OpenTelemetry SDK is not installed.
    """
    if settings.traces == "off":
        yield None
        return
    tracer = Tracer(settings, _otlp_sender(settings, service) if settings.traces == "otlp" else None)
    try:
        yield tracer
    finally:
        tracer.close()


def _otlp_sender(settings: Settings, service: str) -> SpanSender:
    try:
        from schemas.otlp import OtlpSender  # noqa: PLC0415 - who sends no traces does without the SDK
    except ModuleNotFoundError as error:
        raise StopAndSayError(
            f"TICKCAST_TRACES is otlp, {error.name} is missing: pip install 'tickcast[traces]'"
        ) from error
    return OtlpSender(service, settings.instance, settings.topic_prefix)
