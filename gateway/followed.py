"""Predictions whose trace is followed, from their record to the first client that gets them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from schemas.codec import is_sampled, traceparent_of
from schemas.events import Prediction
from schemas.tracing import DELIVER_PREDICTION, PROCESS_PREDICTIONS, Tracer


@dataclass(slots=True)
class Followed:
    """One prediction.

    Attributes:
        traceparent: Of the hop that took it in.
        is_delivered: A client has it.
    """

    traceparent: str
    ticker: str
    event_id: str
    received_ns: int
    is_delivered: bool = False


class _Record(Protocol):
    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int: ...

    @property
    def headers(self) -> Iterable[tuple[str, bytes]]: ...


class _Message(Protocol):
    @property
    def followed(self) -> Followed | None: ...


def received(tracer: Tracer, prediction: Prediction, record: _Record, now_ns: int) -> Followed | None:
    """Take note of a prediction that came in; None: nobody follows its trace."""
    traceparent = traceparent_of(record.headers)
    if traceparent is None or not is_sampled(traceparent):
        return None
    ours = tracer.follow(
        PROCESS_PREDICTIONS,
        traceparent,
        prediction.predicted_at_ns,
        now_ns,
        ticker=prediction.ticker,
        event_id=prediction.id,
        partition=record.partition,
        offset=record.offset,
    )
    return Followed(ours, prediction.ticker, prediction.id, now_ns)


def delivered(tracer: Tracer, messages: Iterable[_Message], now_ns: int) -> None:
    """Take note of messages that a client has: of each followed prediction the first one counts."""
    for message in messages:
        followed = message.followed
        if followed is not None and not followed.is_delivered:
            followed.is_delivered = True
            tracer.follow(
                DELIVER_PREDICTION,
                followed.traceparent,
                followed.received_ns,
                now_ns,
                ticker=followed.ticker,
                event_id=followed.event_id,
            )
