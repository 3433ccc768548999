"""Records into views. No Kafka here."""

from collections.abc import Callable
from typing import Protocol

from gateway.parts import Parts
from schemas.codec import UndecodableError, decoder
from schemas.dead_letters import DeadLetter
from schemas.events import ModelEvent, Prediction, ServiceStatus
from schemas.topics import MODELS, PREDICTIONS_LATEST, SERVICE_STATUS, Topic

#: What the gateway reads.
READS: tuple[Topic, ...] = (PREDICTIONS_LATEST, SERVICE_STATUS, MODELS)

_prediction = decoder(Prediction)
_status = decoder(ServiceStatus)
_model_event = decoder(ModelEvent)


class Record(Protocol):
    """A record as the Kafka client gives it."""

    @property
    def partition(self) -> int:
        """Give the partition's number."""

    @property
    def offset(self) -> int:
        """Give the offset in the partition."""

    @property
    def key(self) -> bytes | None:
        """Give the key."""

    @property
    def value(self) -> bytes | None:
        """Give the value; None is a tombstone."""


class Intake:
    """Takes records of the topics in `READS`; what cannot be understood becomes a dead letter."""

    def __init__(self, parts: Parts, dead_letter: Callable[[DeadLetter], None]) -> None:
        self._parts = parts
        self._dead_letter = dead_letter
        self._takes: dict[str, Callable[[Record], None]] = {
            PREDICTIONS_LATEST.name: self._take_prediction,
            SERVICE_STATUS.name: self._take_status,
            MODELS.name: self._take_models,
        }

    def take(self, topic: str, record: Record) -> None:
        """Take one record of a topic (its name without prefix)."""
        try:
            self._takes[topic](record)
        except UndecodableError as error:
            self._dead_letter(
                DeadLetter(
                    value=record.value or b"",
                    reason=str(error),
                    origin=topic,
                    key=record.key,
                    partition=record.partition,
                    offset=record.offset,
                )
            )

    def _take_prediction(self, record: Record) -> None:
        latest = self._parts.latest
        if record.value is None and record.key is not None:  # a tombstone: compaction will remove the ticker
            latest.forget(record.key.decode("utf-8", "replace"))
        else:
            entry = latest.accept(_prediction(record.value))
            if entry is not None:
                self._parts.hub.publish(entry)
        self._parts.instruments.tickers.set(len(latest))

    def _take_status(self, record: Record) -> None:
        if record.value is not None:
            self._parts.services.accept(_status(record.value), self._parts.clock_ns())

    def _take_models(self, record: Record) -> None:
        self._parts.models.accept(_model_event(record.value), record.partition)
