"""Read `features` as a member of the group; commit by hand."""

import logging
import time
from collections.abc import Callable, Collection

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from predictor.settings import PredictorSettings
from schemas.errors import RetryError
from schemas.logs import client_logger
from schemas.topics import FEATURES

_log = logging.getLogger(__name__)
_ASK_SECONDS = 10.0
#: The shortest that brokers allow: partitions of a killed process are answered again after it.
_SESSION_SECONDS = 6.0
#: The last heartbeat may be a second older than what we know, and the broker gets what we send a little later.
PLACE_SECONDS = _SESSION_SECONDS - 2.0

#: Told the numbers of the partitions that are no longer ours.
Forget = Callable[[Collection[int]], None]


class PlaceLostError(RetryError):
    """The process stood still for so long that another one may answer its partitions: it must begin again."""


class FeatureReader:
    """The group's consumer, and where it stands on each partition that is ours."""

    def __init__(self, settings: PredictorSettings, forget: Forget) -> None:
        self.assigned = False
        self._topic = settings.topic_prefix + FEATURES.name
        self._forget = forget
        self._batch_records = settings.predictor_batch_records
        self._positions: dict[int, int] = {}
        self._ends_when_assigned: dict[int, int] = {}
        self._uncommitted: dict[int, int] = {}
        self._held_at_seconds = time.monotonic()
        self._consumer = Consumer(
            settings.kafka_config()
            | {
                "group.id": settings.consumer_group,
                "client.id": f"predictor/{settings.instance}",
                "logger": client_logger(),
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "session.timeout.ms": int(_SESSION_SECONDS * 1_000),
                "heartbeat.interval.ms": 1_000,
                # The embedded broker holds an empty fetch for its whole wait, even when a record comes.
                "fetch.wait.max.ms": 20 if settings.kafka_embedded else 500,
                "queued.max.messages.kbytes": 32_768,
            }
        )
        self._consumer.subscribe(
            [self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )

    def read(self, timeout_seconds: float) -> list[Message]:
        """Wait for a record, then take what is there with it, up to the batch.

        Raises:
            KafkaException: The client cannot go on.
        """
        began_seconds = time.monotonic()
        first = self._consumer.poll(timeout_seconds)
        if first is None:
            self._held_at_seconds = began_seconds
            return []
        rest = self._consumer.consume(self._batch_records - 1, timeout=0) if self._batch_records > 1 else []
        return [message for message in (first, *rest) if self._is_ours(message)]

    def _is_ours(self, message: Message) -> bool:
        error = message.error()
        if error is not None:
            if error.fatal():
                raise KafkaException(error)
            _log.warning("reading %s: %s", self._topic, error.str())
            return False
        partition = message.partition()
        if partition not in self._positions:
            return False  # taken from us while this batch was gathered; its new owner answers
        self._positions[partition] = self._uncommitted[partition] = message.offset() + 1
        return True

    def require_place(self) -> None:
        """Check, before what was read is answered, that the group cannot have given our partitions away since.

        A process that was stopped and continued does not know it yet: what it read before lies in the client's queue,
        and whoever took over may have answered later events meanwhile.

        Raises:
            PlaceLostError: It can.
        """
        passed_seconds = time.monotonic() - self._held_at_seconds
        if passed_seconds > PLACE_SECONDS:
            raise PlaceLostError(
                f"{passed_seconds:.1f} s passed before an answer: another predictor may have taken over"
            )

    def commit(self) -> None:
        """Commit what was read. After a failure go on: what was not committed is read, and said, again."""
        offsets = [TopicPartition(self._topic, partition, offset) for partition, offset in self._uncommitted.items()]
        self._uncommitted.clear()
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
            self._held_at_seconds = time.monotonic()
        except KafkaException as error:
            if error.args[0].fatal():
                raise
            _log.warning("offsets were not committed: %s", error.args[0].str())

    def caught_up(self) -> bool:
        """Tell whether everything was read that was there when the partitions became ours."""
        return self.assigned and all(
            self._positions[partition] >= end for partition, end in self._ends_when_assigned.items()
        )

    def lag_records(self) -> int:
        """Count the records that are there and not read, by what the last fetches told."""
        lag = 0
        for partition, position in self._positions.items():
            _, high = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
            lag += max(0, max(high, self._ends_when_assigned[partition]) - position)
        return lag

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for committed in consumer.committed(partitions, timeout=_ASK_SECONDS):
            low, high = consumer.get_watermark_offsets(committed, timeout=_ASK_SECONDS)
            in_log = low <= committed.offset <= high
            self._positions[committed.partition] = committed.offset if in_log else low
            self._ends_when_assigned[committed.partition] = high
        self.assigned = True
        self._held_at_seconds = time.monotonic()

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = [each.partition for each in partitions]
        for number in numbers:
            for places in (self._positions, self._ends_when_assigned, self._uncommitted):
                places.pop(number, None)
        self._forget(numbers)

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()
