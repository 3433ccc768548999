"""Records as a test reads them: until something holds, or a deadline fails the test."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from msgspec import Struct

from schemas.codec import decoder
from schemas.topics import Topic

DEADLINE_SECONDS = 120.0

Event = TypeVar("Event", bound=Struct)


@dataclass(frozen=True)
class Record:
    """One record, as read."""

    topic: Topic
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes] = field(repr=False)
    timestamp_ms: int = 0
    _decoded: dict[type[Struct], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def event(self, event_type: type[Event] | None = None) -> Any:
        """Decode the value, once, as the topic's event, or as another type."""
        wanted = event_type or self.topic.event
        assert wanted is not None, f"{self.topic.name} has no event type"
        if wanted not in self._decoded:  # conditions look at all records again and again
            self._decoded[wanted] = decoder(wanted)(self.value)
        return self._decoded[wanted]


#: Tells whether what was read so far is enough; a number means that many records.
Enough = Callable[[list[Record]], bool] | int


def bounds_of(consumer: Consumer, partition: TopicPartition) -> tuple[int, int]:
    """Give a partition's first offset and the one that the next record will get."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            first, end = consumer.get_watermark_offsets(partition, timeout=DEADLINE_SECONDS)
        except KafkaException as error:  # a broker that has just come back may know no partition yet
            if error.args[0].code() != KafkaError._UNKNOWN_PARTITION or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return first, end


def read_until(
    consumer: Consumer, topic: Topic, partitions: list[TopicPartition], until: Enough | None, deadline_seconds: float
) -> list[Record]:
    """Read until it is enough; fail the test at the deadline, and say what was read."""
    enough = _to_ends(consumer, partitions) if until is None else _as_condition(until)
    consumer.assign(partitions)
    records: list[Record] = []
    deadline = time.monotonic() + deadline_seconds
    while not enough(records):
        if time.monotonic() > deadline:
            pytest.fail(_too_late(topic, records, deadline_seconds), pytrace=False)
        records.extend(_record(topic, message) for message in _next(consumer) if message.error() is None)
    return records


def _next(consumer: Consumer) -> list[Message]:
    """Wait for a message, and give it with those that are there too: `consume` alone would wait for a thousand."""
    first = consumer.poll(0.05)
    return [] if first is None else [first, *consumer.consume(1_000, 0)]


def _as_condition(until: Enough) -> Callable[[list[Record]], bool]:
    if isinstance(until, int):
        return lambda records: len(records) >= until
    return until


def _to_ends(consumer: Consumer, partitions: list[TopicPartition]) -> Callable[[list[Record]], bool]:
    """Tell when every partition's reading position has reached its end of now; compaction leaves holes."""
    bounds = {p.partition: bounds_of(consumer, p) for p in partitions}
    wanted = {number: end for number, (first, end) in bounds.items() if end > first}

    def reached(_: list[Record]) -> bool:
        at = {p.partition: p.offset for p in consumer.position(partitions)}
        return all(at[number] >= end for number, end in wanted.items())

    return lambda records: not wanted or (bool(consumer.assignment()) and reached(records))


def _record(topic: Topic, message: Message) -> Record:
    return Record(
        topic=topic,
        partition=message.partition(),
        offset=message.offset(),
        key=message.key(),
        value=message.value(),
        headers=dict(message.headers() or []),
        timestamp_ms=message.timestamp()[1],
    )


def _too_late(topic: Topic, records: list[Record], seconds: float) -> str:
    newest = "\n".join(f"  {r.partition}/{r.offset} {r.key!r}: {(r.value or b'')[:300]!r}" for r in records[-5:])
    return (
        f"{topic.name}: not enough within {seconds:g} s; {len(records)} records were read, the last of them:\n{newest}"
    )
