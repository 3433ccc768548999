"""A topic read to its end, without a group and from nothing: what the training knows of the live stream."""

import time
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.consumers import groupless_config
from schemas.errors import RetryError, StopAndSayError
from schemas.settings import Settings
from schemas.topics import Topic

_ASK_SECONDS = 10.0
_READ_RECORDS = 1_000
_AHEAD_KIBIBYTES = 32_768
#: Without a record for so long, the broker is taken for gone.
_SILENT_SECONDS = 60.0


def read_to_end(
    settings: Settings, topic: Topic, take: Callable[[Message], None], newest_records: int | None = None
) -> None:
    """Read all partitions of a topic to their ends as they are now; in order within a partition.

    Args:
        settings: Connection and prefix.
        topic: Of the contract.
        take: Is given every record.
        newest_records: Of each partition, only so many; None: all.

    Raises:
        RetryError: The broker does not answer, or gives nothing for a minute.
        StopAndSayError: There is no such topic.
    """
    config = groupless_config(settings, f"training-{topic.name}", tell_ends=True)
    consumer = Consumer(config | {"queued.max.messages.kbytes": _AHEAD_KIBIBYTES})
    try:
        _read(consumer, _assign(consumer, settings.topic_prefix + topic.name, newest_records), take)
    except KafkaException as error:
        raise RetryError(f"{topic.name} cannot be read: {error}") from error
    finally:
        consumer.close()


def _assign(consumer: Consumer, name: str, newest_records: int | None) -> dict[int, int]:
    """Begin each partition where it is to be read from; give the ends of those that have something."""
    found = consumer.list_topics(name, timeout=_ASK_SECONDS).topics[name]
    if found.error is not None:
        raise StopAndSayError(f"the topic {name} is missing: start the system, which makes it")
    starts, ends = [], {}
    for number in sorted(found.partitions):
        first, end = consumer.get_watermark_offsets(TopicPartition(name, number), timeout=_ASK_SECONDS)
        start = first if newest_records is None else max(first, end - newest_records)
        starts.append(TopicPartition(name, number, start))
        if start < end:
            ends[number] = end
    consumer.assign(starts)
    return ends


def _read(consumer: Consumer, ends: dict[int, int], take: Callable[[Message], None]) -> None:
    left, heard_seconds = dict(ends), time.monotonic()
    while left:
        messages = consumer.consume(_READ_RECORDS, timeout=0.05)
        now_seconds = time.monotonic()
        if messages:
            heard_seconds = now_seconds
        elif now_seconds - heard_seconds > _SILENT_SECONDS:
            raise RetryError(f"partitions {sorted(left)} were not read to their ends: the broker gives nothing")
        for message in messages:
            _count(message, ends, left, take)


def _count(message: Message, ends: dict[int, int], left: dict[int, int], take: Callable[[Message], None]) -> None:
    number, error = message.partition(), message.error()
    if error is None:
        end = ends.get(number, 0)
        if message.offset() < end:  # what came meanwhile is not of this reading
            take(message)
        if message.offset() + 1 >= end:
            left.pop(number, None)
    elif error.code() == KafkaError._PARTITION_EOF:
        left.pop(number, None)
    elif error.fatal():
        raise KafkaException(error)  # of others librdkafka tries again by itself
