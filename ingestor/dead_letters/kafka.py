"""What the command asks of a broker: letters, the log of `ticks`, and a frame sent."""

import logging
import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from ingestor.dead_letters.heard import HeardReplays
from ingestor.dead_letters.letter import Letter, read_letter
from ingestor.producer import producer_config
from schemas.codec import encode
from schemas.consumers import groupless_config
from schemas.errors import RetryError
from schemas.events import TickFrame
from schemas.settings import Settings
from schemas.times import NS_PER_MILLISECOND
from schemas.topics import DEAD_LETTERS, TICKS

_log = logging.getLogger(__name__)
_ANSWER_SECONDS = 10.0
_SEND_SECONDS = 30.0
_SAY_EVERY_SECONDS = 5.0
#: Of records that librdkafka reads ahead: a letter may have a megabyte.
_AHEAD_KIBIBYTES = 16_384


def open_consumer(settings: Settings) -> Consumer:
    """Give a consumer of no group's, which commits nothing."""
    own = {
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 20,
        "queued.max.messages.kbytes": _AHEAD_KIBIBYTES,
        "log_level": "0",  # what goes wrong here, we say ourselves
    }
    return Consumer(groupless_config(settings, "dead-letters", tell_ends=True) | own)


def _next(consumer: Consumer, topic: str) -> Message:
    """Wait for a record, or for the word that a partition has no more."""
    message = consumer.poll(_ANSWER_SECONDS)
    if message is None:
        raise RetryError(f"{topic}: the broker says nothing for {_ANSWER_SECONDS:g} s")
    error = message.error()
    if error and error.code() != KafkaError._PARTITION_EOF:
        raise RetryError(f"{topic}: {error.str()}")
    return message


def _bounds(consumer: Consumer, partition: TopicPartition) -> tuple[int, int]:
    try:
        first, end = consumer.get_watermark_offsets(partition, _ANSWER_SECONDS)
    except KafkaException as error:
        where = f"{partition.topic}/{partition.partition}"
        raise RetryError(f"{where}: the broker does not say where it ends: {error.args[0].str()}") from error
    return max(0, first), max(0, end)


def read_letters(settings: Settings, since_ns: int | None = None) -> Iterator[Letter]:
    """Give the letters that there are now, the oldest first; those that come while it reads are another reading's.

    Args:
        since_ns: Those that were written before need not be given.

    Raises:
        RetryError: The broker stopped answering.
    """
    topic = settings.topic_prefix + DEAD_LETTERS.name
    consumer = open_consumer(settings)
    try:
        places = _starts(consumer, topic, None if settings.kafka_embedded else since_ns)
        ends = {place.partition: _bounds(consumer, place)[1] for place in places}
        left = {partition for partition, end in ends.items() if end}
        consumer.assign(places)
        while left:
            message = _next(consumer, topic)
            partition, offset = message.partition(), message.offset()
            if partition in left and (message.error() or offset >= ends[partition] - 1):
                left.remove(partition)
            if not message.error() and offset < ends[partition]:
                yield _letter(message)
    finally:
        consumer.close()


def _starts(consumer: Consumer, topic: str, since_ns: int | None) -> list[TopicPartition]:
    try:
        numbers = consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions
        if since_ns is None:
            return [TopicPartition(topic, number, OFFSET_BEGINNING) for number in sorted(numbers)]
        asked = [TopicPartition(topic, number, max(0, since_ns // NS_PER_MILLISECOND)) for number in sorted(numbers)]
        found: list[TopicPartition] = consumer.offsets_for_times(asked, timeout=_ANSWER_SECONDS)
    except KafkaException as error:
        raise RetryError(f"{topic}: {error.args[0].str()}") from error
    return found


def _letter(message: Message) -> Letter:
    place, at_ns = (message.partition(), message.offset()), message.timestamp()[1] * NS_PER_MILLISECOND
    return read_letter(message.headers(), message.key(), message.value(), place, at_ns)


class TicksLog:
    """The partitions of `ticks` that are asked for, read from their beginnings and then on and on."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topic_prefix + TICKS.name
        self._consumer = open_consumer(settings)
        self._heard: dict[int, HeardReplays] = {}

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def heard(self, partition: int) -> HeardReplays:
        """Give what a partition says of replays; the first time, it is read to its end.

        Raises:
            RetryError: The broker stopped answering.
            StopAndSayError: Somebody else uses the name of the replay.
        """
        if partition not in self._heard:
            first, end = _bounds(self._consumer, TopicPartition(self._topic, partition))
            heard = self._heard[partition] = HeardReplays(first)
            self._consumer.incremental_assign([TopicPartition(self._topic, partition, first)])
            say_at = time.monotonic() + _SAY_EVERY_SECONDS
            while heard.next_offset < end:
                self._step()
                if time.monotonic() > say_at:
                    _log.info("reading %s/%d: %d of %d records", self._topic, partition, heard.next_offset, end)
                    say_at += _SAY_EVERY_SECONDS
        return self._heard[partition]

    def takes(self, partition: int, offset: int) -> bool:
        """Read on to a frame of ours, and tell whether the stage takes it, or another replay was there first."""
        while True:
            at_partition, at_offset, taken = self._step()
            if at_partition == partition and at_offset >= offset:
                if at_offset > offset:
                    raise RetryError(f"{self._topic}/{partition} has lost the record {offset} that was just written")
                return taken

    def _step(self) -> tuple[int, int, bool]:
        message = _next(self._consumer, self._topic)
        heard = self._heard[message.partition()]
        if message.error():
            heard.skip_to(message.offset())
            return message.partition(), -1, False
        return message.partition(), message.offset(), heard.hear(message.offset(), message.value())


class FrameSender:
    """Sends one frame at a time to `ticks`."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topic_prefix + TICKS.name
        own = {"client.id": "tickcast-dead-letters", "message.timeout.ms": round(_SEND_SECONDS * 1_000)}
        self._producer = Producer(producer_config(settings) | own)

    def send(self, partition: int, frame: TickFrame) -> int:
        """Send a frame and give the offset that it got.

        Raises:
            RetryError: The broker did not take it in time.
        """
        reports: list[tuple[KafkaError | None, Message]] = []
        record: dict[str, Any] = {"topic": self._topic, "value": encode(frame), "partition": partition}
        self._producer.produce(**record, on_delivery=lambda *report: reports.append(report))
        while not reports:
            self._producer.poll(0.1)
        error, message = reports[0]
        if error is not None:
            raise RetryError(f"{self._topic}/{partition}: the broker did not take a frame: {error.str()}")
        offset: int = message.offset()
        return offset
