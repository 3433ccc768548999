"""How large the changelog of the states is, before and after Kafka has compacted it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import Message, Producer

from benchmarks.topic_tools import configure, places, reader
from schemas.settings import Settings
from schemas.topics import TICKER_STATES_CHANGELOG

_ROLL_MS = 1_000
_COMPACTED_WITHIN_SECONDS = 120.0
_LOOK_SECONDS = 5.0
#: In the segment that is written to, which is never compacted.
_NEWEST_RECORDS = 2


@dataclass(frozen=True)
class ChangelogSize:
    """What the changelog holds: records, keys, and the bytes of keys and values."""

    records: int
    keys: int
    total_bytes: int

    @property
    def bytes_per_key(self) -> float:
        """Give what one ticker takes."""
        return self.total_bytes / max(1, self.keys)


def changelog_sizes(settings: Settings) -> tuple[ChangelogSize, ChangelogSize]:
    """Give the size as it is, and after a compaction of all but the newest records; nobody may write meanwhile."""
    before = _size(list(_records(settings)))
    configure(settings, TICKER_STATES_CHANGELOG, {"segment.ms": str(_ROLL_MS), "min.cleanable.dirty.ratio": "0.01"})
    time.sleep(1.5 * _ROLL_MS / 1_000)
    _repeat_newest(settings)
    most = before.keys + _NEWEST_RECORDS * settings.partitions
    deadline = time.monotonic() + _COMPACTED_WITHIN_SECONDS
    after = before
    while after.records > most and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        after = _size(list(_records(settings)))
    return before, after


def _repeat_newest(settings: Settings) -> None:
    """Write each partition's last record once more: only a write begins a new segment."""
    newest = {message.partition(): message for message in _records(settings)}
    producer = Producer(settings.kafka_config())
    for partition, message in newest.items():
        producer.produce(message.topic(), message.value(), message.key(), partition)
    producer.flush(60)


def _records(settings: Settings) -> Iterator[Message]:
    consumer, left = reader(settings), settings.partitions
    consumer.assign(places(settings, TICKER_STATES_CHANGELOG, 0))
    while left:
        for message in consumer.consume(1_000, 1.0):
            if message.error():
                left -= 1  # its end
            else:
                yield message
    consumer.close()


def _size(messages: list[Message]) -> ChangelogSize:
    keys = {message.key() for message in messages}
    return ChangelogSize(
        len(messages), len(keys), sum(len(message.key()) + len(message.value() or b"") for message in messages)
    )
