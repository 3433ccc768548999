"""Events to bytes and back, with CloudEvents headers in Kafka's binary mode."""

import os
import random
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

import msgspec
from msgspec import Struct

from schemas.errors import DeadLetterError
from schemas.times import to_rfc3339

#: Header names and values as Kafka clients take and give them.
Headers = list[tuple[str, bytes]]

CONTENT_TYPE = "application/json"
_encoder = msgspec.json.Encoder()
_traces = random.Random()
os.register_at_fork(after_in_child=_traces.seed)
#: W3C: no version ff, no id of zeros.
_is_traceparent = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch

Event = TypeVar("Event", bound=Struct)


class UndecodableError(DeadLetterError, ValueError):
    """Bytes that are not the event they should be."""


def encode(event: Struct) -> bytes:
    """Write an event as JSON. Numbers that are not finite become null, which readers refuse."""
    return _encoder.encode(event)


def decoder(event_type: type[Event]) -> Callable[[bytes | None], Event]:
    """Give a function that reads one type of event; unknown fields are ignored.

    The function raises `UndecodableError`, which names the field.
    """
    decode_json = msgspec.json.Decoder(event_type).decode
    name = event_type.__name__

    def decode(value: bytes | None) -> Event:
        if value is None:
            raise UndecodableError(f"{name}: the record is empty")
        try:
            return decode_json(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UndecodableError(f"{name}: {error}") from error
        except RecursionError as error:  # a few kilobytes of "[[[[" must not end a service
            raise UndecodableError(f"{name}: JSON is nested too deeply") from error

    return decode


def new_traceparent(share: float = 0.0) -> str:
    """Start a W3C trace context. Its numbers must differ, not be secret: asking the system for them lets the GIL go.

    Args:
        share: Of all that are started, so many are sampled: every hop will tell of them. 0 asks for no number.
    """
    numbers = _traces.randbytes(24).hex()
    sampled = share > 0.0 and _traces.random() < share
    return f"00-{numbers[:32]}-{numbers[32:]}-{'01' if sampled else '00'}"


def child_traceparent(traceparent: str) -> str:
    """Give the context of a new span of the same trace."""
    return f"{traceparent[:36]}{_traces.randbytes(8).hex()}{traceparent[52:]}"


def is_sampled(traceparent: str) -> bool:
    """Tell whether whoever began the trace wants it told of."""
    return traceparent[-1] in "13579bdf"


def trace_id_of(traceparent: str) -> str:
    """Give the 32 digits that all hops of a trace share."""
    return traceparent[3:35]


def span_id_of(traceparent: str) -> str:
    """Give the 16 digits of one hop."""
    return traceparent[36:52]


def read_traceparent(value: bytes | None) -> str | None:
    """Give a trace context as it came; None where it is no W3C trace context."""
    return value.decode() if value is not None and _is_traceparent(value) else None


def traceparent_of(headers: Mapping[str, bytes | None] | Iterable[tuple[str, bytes | None]] | None) -> str | None:
    """Give the trace that a record came with; None where it has none, or one that is not a W3C trace context.

    Args:
        headers: As Kafka clients give them.
    """
    for name, value in headers.items() if isinstance(headers, Mapping) else headers or ():
        if name == "traceparent" and (traceparent := read_traceparent(value)) is not None:
            return traceparent
    return None


def event_headers(event_type: str, source: str, event_id: str, time_ns: int, traceparent: str | None = None) -> Headers:
    """Give the headers of an event that others consume.

    Args:
        event_type: Name of the event's class; `tickcast.` goes before it.
        source: The service and its instance, like `predictor/1`.
        event_id: The event's deterministic id.
        time_ns: When the event was made.
        traceparent: The trace of the event that caused it.
    """
    return [
        *_unchanging_headers(event_type, source),
        ("ce_id", event_id.encode()),
        _time_header(time_ns),
        ("traceparent", (traceparent or new_traceparent()).encode()),
    ]


@lru_cache(maxsize=64)
def _time_header(time_ns: int) -> tuple[str, bytes]:
    return "ce_time", to_rfc3339(time_ns).encode()


@lru_cache(maxsize=64)
def _unchanging_headers(event_type: str, source: str) -> tuple[tuple[str, bytes], ...]:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", f"tickcast.{event_type}".encode()),
        ("ce_source", f"/tickcast/{source}".encode()),
        ("content-type", CONTENT_TYPE.encode()),
    )
