"""Topics read without a group, from a place before their end, to their end and on."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.errors import RetryError

#: Next offset by partition.
Places = dict[TopicPartition, int]

_POLL_MS = 250
_ASK_SECONDS = 1.0


class AnotherLogError(RetryError):
    """A partition ends before what was read of it: what was made of it must be made anew."""


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    """Give all partitions of a topic."""
    await consumer.end_offsets([TopicPartition(topic, 0)])  # makes the topic known
    return [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]


async def assign(
    consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition], read: Places, newest_records: int
) -> Places:
    """Read partitions from where they were read up to, or else so many records before their ends.

    Returns:
        The ends as they are now.

    Raises:
        AnotherLogError: One ends before what was read.
    """
    wanted = list(partitions)
    ends: Places = await consumer.end_offsets(wanted)
    beginnings: Places = await consumer.beginning_offsets(wanted)
    consumer.assign(wanted)
    for partition in wanted:
        end = ends[partition]
        if end < read.get(partition, 0):
            raise AnotherLogError(f"{partition.topic}[{partition.partition}] ends at {end}: it is another log")
        first = max(beginnings[partition], end - newest_records)
        consumer.seek(partition, read.get(partition, first))
    return ends


async def next_records(consumer: AIOKafkaConsumer, most: int) -> list[ConsumerRecord]:
    """Give records that are there, in order within a partition; none after a quarter of a second."""
    batches = await consumer.getmany(timeout_ms=_POLL_MS, max_records=most)
    return [record for records in batches.values() for record in records]


async def has_reached(consumer: AIOKafkaConsumer, ends: Places) -> bool:
    """Tell whether everything before the ends was given."""
    try:
        async with asyncio.timeout(_ASK_SECONDS):
            return all([await consumer.position(partition) >= end for partition, end in ends.items()])
    except TimeoutError:  # some position is not known yet; asked again after the next poll
        return False
