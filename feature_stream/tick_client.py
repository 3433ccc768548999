"""librdkafka as the reader of a topic uses it: what is read, from where, how much at once, and the way back to it."""

import time
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, Message, TopicPartition

from feature_stream.progress import Flow
from feature_stream.settings import WorkerSettings
from schemas.codec import Headers
from schemas.logs import client_logger
from schemas.topics import FEATURE_STAGE, TICKS, Topic

_POLL_SECONDS = 0.05
#: What is taken at once, about. The queue keeps the order in which it was filled, and who is read again must not stand
#: behind much of others.
_BATCH_BYTES, _LEAST_RECORDS, _MOST_RECORDS = 2_097_152, 16, 256
#: Likewise of what librdkafka has fetched. Where that is full it looks again so soon.
_QUEUE_KIBIBYTES, _QUEUE_RECORDS, _FETCH_AGAIN_MS = 16_384, 10_000, 5
_PARTITION_FETCH_BYTES = 1_048_576
#: A queue that was empty so long ago holds nobody back.
_DRY_SECONDS = 1.5
#: After a batch that differs from its checksum the client reads on at any offset, and finds itself out of range.
_ASTRAY = (KafkaError._BAD_MSG, KafkaError._NOT_IMPLEMENTED, KafkaError._AUTO_OFFSET_RESET)
_BRING_BACK_SECONDS, _ASK_SECONDS = 0.5, 1.0


class TickRecord(NamedTuple):
    """A record, in aiokafka's names.

    Attributes:
        timestamp: Kafka's own time in ms; None: it has none.
    """

    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers


#: By partition, each in the order of its log.
Records = dict[int, deque[TickRecord]]


class TickClient:
    """Reads the partitions that it is told to, from where it is told to; knows of no group, and commits nothing.

    For one thread: librdkafka's client lets one call in at a time, and another would wait as long as it does.

    Attributes:
        topic: That it reads, with its prefix.
        ends: Of each partition the offset after its last record, as the last fetch knew it.
    """

    def __init__(self, settings: WorkerSettings, topic: Topic = TICKS, group: str = FEATURE_STAGE) -> None:
        self.topic = settings.topic_prefix + topic.name
        self._name = topic.name
        self.ends: dict[int, int] = {}
        self._consumer = Consumer(
            settings.kafka_config()
            | {
                "group.id": settings.topic_prefix + group,  # librdkafka wants one; the right to it is ours
                "client.id": f"{group.replace('-', '_')}/{settings.instance}",
                "logger": client_logger(),
                "auto.offset.reset": "error",
                "enable.auto.commit": False,
                "check.crcs": True,
                "fetch.wait.max.ms": settings.fetch_wait_ms,
                "fetch.queue.backoff.ms": _FETCH_AGAIN_MS,
                "max.partition.fetch.bytes": _PARTITION_FETCH_BYTES,
                "queued.min.messages": _QUEUE_RECORDS,
                "queued.max.messages.kbytes": _QUEUE_KIBIBYTES,
            }
        )
        self._next: dict[int, int] = {}
        #: When those that went astray are brought back.
        self._astray: dict[int, float] = {}
        self._paused: set[int] = set()
        self._records_at_once = _LEAST_RECORDS
        self._read_bytes = 0
        self._ran_dry_at = time.monotonic()

    def assign(self, positions: Mapping[int, int]) -> None:
        """Read these partitions from now on, each from an offset."""
        self._next = dict(positions)
        self._astray.clear()
        self._consumer.assign([self._place(*position) for position in positions.items()])
        for partition in list(self._paused):
            self.resume(partition)

    def seek(self, partition: int, offset: int) -> None:
        """Read a partition again from an offset; nothing is done where it is not among those that are read."""
        if partition not in self._next:
            return
        self._next[partition] = offset
        self._astray.pop(partition, None)
        self._consumer.incremental_unassign([self._place(partition)])
        self._consumer.incremental_assign([self._place(partition, offset)])
        if partition in self._paused:
            self.resume(partition)

    def pause(self, partition: int) -> None:
        """Fetch nothing more of a partition until it is resumed, assigned or sought; what was read still comes."""
        if partition in self._next:
            self._consumer.pause([self._place(partition)])
            self._paused.add(partition)

    def resume(self, partition: int) -> None:
        """Go on with it after the last record that was read."""
        self._paused.discard(partition)
        if partition in self._next:
            self._consumer.resume([self._place(partition)])

    def read(self) -> Records:
        """Wait a moment for a record, and take what is there with it.

        Raises:
            KafkaException: The client cannot go on.
        """
        self._bring_back()
        first = self._consumer.poll(_POLL_SECONDS)
        if first is None:
            self._ran_dry_at = time.monotonic()
            return {}
        rest = self._consumer.consume(self._records_at_once - 1, 0)
        if len(rest) < self._records_at_once - 1:
            self._ran_dry_at = time.monotonic()
        records = _by_partition([message for message in (first, *rest) if self._is_sound(message)])
        self._note(records)
        return records

    def flow(self) -> Flow:
        """Say what comes; any thread may ask."""
        return Flow(self._read_bytes, runs_dry=time.monotonic() - self._ran_dry_at < _DRY_SECONDS)

    def close(self) -> None:
        """End the client."""
        self._consumer.close()

    def _place(self, partition: int, *offset: int) -> TopicPartition:
        return TopicPartition(self.topic, partition, *offset)

    def _is_sound(self, message: Message) -> bool:
        """Tell whether this is a record where one should be; else it is the client's word that something is wrong."""
        error, partition = message.error(), message.partition()
        if error is None:
            return partition not in self._astray
        if error.fatal():
            raise KafkaException(error)
        client_logger().warning("reading %s-%s: %s", self._name, partition, error.str())
        if error.code() in _ASTRAY and partition in self._next:
            self._astray.setdefault(partition, time.monotonic() + _BRING_BACK_SECONDS)
        return False

    def _bring_back(self) -> None:
        """Read again what was lost from sight; where the log begins later by now, from there."""
        now = time.monotonic()
        for partition in [partition for partition, at in self._astray.items() if at <= now]:
            try:
                first, _ = self._consumer.get_watermark_offsets(self._place(partition), timeout=_ASK_SECONDS)
            except KafkaException:  # retry: the broker is away
                self._astray[partition] = now + _BRING_BACK_SECONDS
            else:
                self.seek(partition, max(first, self._next[partition]))

    def _note(self, records: Records) -> None:
        for partition, theirs in records.items():
            self._next[partition] = theirs[-1].offset + 1
            _, self.ends[partition] = self._consumer.get_watermark_offsets(self._place(partition), cached=True)
        count = sum(map(len, records.values()))
        size = sum(len(record.value or b"") for theirs in records.values() for record in theirs)
        self._read_bytes += size
        self._records_at_once = max(_LEAST_RECORDS, min(_MOST_RECORDS, _BATCH_BYTES * count // max(1, size)))


def _by_partition(messages: list[Message]) -> Records:
    records: Records = {}
    for message in messages:
        partition: Any = message.partition()
        record = TickRecord(
            partition,
            message.offset(),
            _timestamp_ms(message),
            message.key(),
            message.value(),
            message.headers() or [],
        )
        records.setdefault(partition, deque()).append(record)
    return records


def _timestamp_ms(message: Message) -> int | None:
    kind, milliseconds = message.timestamp()
    return None if kind == TIMESTAMP_NOT_AVAILABLE else milliseconds
