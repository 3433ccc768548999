"""Records into views. No Kafka here."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from gateway.entries import Entry
from gateway.followed import received
from gateway.parts import Parts
from gateway.streams import Stream
from schemas.codec import UndecodableError, decoder
from schemas.dead_letters import DeadLetter
from schemas.events import Bar, Forecast, ModelCommand, ModelEvent, Prediction, Scoreboard, ServiceStatus, SourceCommand
from schemas.times import NS_PER_SECOND
from schemas.topics import (
    BARS,
    FORECASTS,
    MODEL_COMMANDS,
    MODELS,
    PREDICTIONS_LATEST,
    SCORES,
    SERVICE_STATUS,
    SOURCE_COMMANDS,
    Topic,
)

#: What the gateway reads.
READS: tuple[Topic, ...] = (
    PREDICTIONS_LATEST,
    SERVICE_STATUS,
    MODELS,
    MODEL_COMMANDS,
    SOURCE_COMMANDS,
    BARS,
    SCORES,
    FORECASTS,
)

_prediction = decoder(Prediction)
_bar = decoder(Bar)
_status = decoder(ServiceStatus)
_model_event = decoder(ModelEvent)
_model_command = decoder(ModelCommand)
_source_command = decoder(SourceCommand)
_board = decoder(Scoreboard)
_forecast = decoder(Forecast)


class Record(Protocol):
    """A record as the Kafka client gives it."""

    @property
    def partition(self) -> int:
        """Give the partition's number."""

    @property
    def offset(self) -> int:
        """Give the offset in the partition."""

    @property
    def timestamp(self) -> int:
        """Give when it was written, in milliseconds since 1970."""

    @property
    def key(self) -> bytes | None:
        """Give the key."""

    @property
    def value(self) -> bytes | None:
        """Give the value; None is a tombstone."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Give the headers."""


class Intake:
    """Takes records of the topics in `READS`; what cannot be understood becomes a dead letter."""

    def __init__(self, parts: Parts, dead_letter: Callable[[DeadLetter], None]) -> None:
        self._parts = parts
        self._dead_letter = dead_letter
        self._takes: dict[str, Callable[[Record], None]] = {
            PREDICTIONS_LATEST.name: self._take_prediction,
            SERVICE_STATUS.name: self._take_status,
            MODELS.name: self._take_models,
            MODEL_COMMANDS.name: self._take_command,
            SOURCE_COMMANDS.name: self._take_source_command,
            BARS.name: self._take_bar,
            SCORES.name: self._take_board,
            FORECASTS.name: self._take_forecast,
        }
        self._taken = {topic: parts.instruments.records_taken.labels(topic) for topic in self._takes}

    def take(self, topic: str, record: Record) -> None:
        """Take one record of a topic (its name without prefix)."""
        self._taken[topic].inc()
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
            prediction = _prediction(record.value)
            entry = latest.accept(prediction, record.offset)
            if entry is not None:
                if latest.caught_up:
                    now_ns = self._parts.clock_ns()
                    self._parts.stage_times.note(prediction, now_ns)
                    seconds = max(0, now_ns - prediction.ingested_at_ns) / NS_PER_SECOND
                    self._parts.instruments.tick_to_gateway.observe(seconds)
                    if self._parts.tracer is not None:
                        entry.followed = received(self._parts.tracer, prediction, record, now_ns)
                self._publish(self._parts.predictions, entry, record)
                self._show_forming(prediction)
        self._parts.instruments.tickers.set(len(latest))

    def _take_bar(self, record: Record) -> None:
        entry = self._parts.bars.view.accept(_bar(record.value), record.offset)
        if entry is not None:
            self._publish(self._parts.bars, entry, record)

    def _publish(self, stream: Stream[Any], entry: Entry, record: Record) -> None:
        recorded_ns = record.timestamp * 1_000_000
        now_ns, now_s = self._parts.clock_ns(), time.monotonic()
        stream.publish(entry, record.partition, recorded_ns=recorded_ns, now_ns=now_ns, now_s=now_s)

    def _show_forming(self, prediction: Prediction) -> None:
        bars = self._parts.bars
        if bars.audience.wanted(prediction.ticker) and (entry := bars.view.forming(prediction)) is not None:
            bars.audience.publish(entry, time.monotonic())

    def _take_status(self, record: Record) -> None:
        if record.value is not None:
            status = _status(record.value)
            self._parts.services.accept(status, self._parts.clock_ns())
            self._parts.source_jobs.told(status)

    def _take_models(self, record: Record) -> None:
        event = _model_event(record.value)
        self._parts.models.accept(event, record.partition)
        self._parts.jobs.decided(event)

    def _take_command(self, record: Record) -> None:
        self._parts.jobs.asked(_model_command(record.value))

    def _take_source_command(self, record: Record) -> None:
        self._parts.source_jobs.asked(_source_command(record.value), record.offset)

    def _take_forecast(self, record: Record) -> None:
        self._parts.forecasts.answered(_forecast(record.value))

    def _take_board(self, record: Record) -> None:
        self._parts.scores.accept(_board(record.value))
