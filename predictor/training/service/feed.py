"""Read `models`, `model-commands` and the boards of all tickers in `scores`, without a group."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from msgspec import Struct

from predictor.scoring_boards import ALL
from predictor.training.settings import TrainingSettings
from schemas.codec import UndecodableError, decoder
from schemas.consumers import groupless_config
from schemas.errors import RetryError
from schemas.partitioning import partition_of
from schemas.topics import MODEL_COMMANDS, MODELS, SCORES, Topic

_log = logging.getLogger(__name__)
_DRAIN_RECORDS = 500
_READ_WITHIN_SECONDS = 60.0
_ASK_SECONDS = 10.0
#: Of the partition in which the boards of all tickers lie, so many records are read at a start: the newest says it all.
_BOARDS_READ = 1_000


@dataclass(frozen=True)
class Taken:
    """What was read: a ModelEvent, a ModelCommand or a Scoreboard, and the partition that it lay on."""

    event: Struct
    partition: int


class TrainerFeed:
    """The consumer of the trainer. What cannot be understood is said, and passed over: it stays in its topic."""

    def __init__(self, settings: TrainingSettings) -> None:
        topics = (MODELS, MODEL_COMMANDS, SCORES)
        self._names = {topic.name: settings.topic_prefix + topic.name for topic in topics}
        self._decoders: dict[str, Callable[[bytes | None], Any]] = {
            self._names[topic.name]: decoder(topic.event) for topic in topics if topic.event is not None
        }
        self._consumer = Consumer(groupless_config(settings, "trainer", tell_ends=True))

    def read_models(self, stopping: Callable[[], bool]) -> list[Taken]:
        """Read `models` to its end, or as much as there was time for when told to stop."""
        return list(self._read_to_ends(MODELS, stopping))

    def read_commands(self, stopping: Callable[[], bool]) -> list[Taken]:
        """Read `model-commands` likewise; `models` is followed meanwhile."""
        return list(self._read_to_ends(MODEL_COMMANDS, stopping))

    def follow_scores(self) -> None:
        """Begin to read the newest boards of all tickers."""
        name = self._names[SCORES.name]
        partition = TopicPartition(name, partition_of(ALL, len(self._partitions(name))))
        first, end = self._consumer.get_watermark_offsets(partition, timeout=_ASK_SECONDS)
        self._consumer.incremental_assign([TopicPartition(name, partition.partition, max(first, end - _BOARDS_READ))])

    def poll(self, timeout_seconds: float) -> list[Taken]:
        """Wait for news, and give it with what is there too.

        Raises:
            KafkaException: The client cannot go on.
        """
        first = self._consumer.poll(timeout_seconds)
        if first is None:
            return []
        messages = [first, *self._consumer.consume(_DRAIN_RECORDS, timeout=0)]
        return list(self._taken(messages))

    def _read_to_ends(self, topic: Topic, stopping: Callable[[], bool]) -> Iterator[Taken]:
        name = self._names[topic.name]
        left = set(self._partitions(name))
        self._consumer.incremental_assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in left])
        deadline = time.monotonic() + _READ_WITHIN_SECONDS
        while left and not stopping():
            if time.monotonic() > deadline:
                raise RetryError(f"the end of {name} was not reached within {_READ_WITHIN_SECONDS:g} s")
            messages = self._consumer.consume(_DRAIN_RECORDS, timeout=0.02)
            left -= {message.partition() for message in messages if message.topic() == name and _is_end(message)}
            yield from self._taken(messages)

    def _partitions(self, name: str) -> list[int]:
        found = self._consumer.list_topics(name, timeout=_ASK_SECONDS).topics[name]
        if found.error is not None or not found.partitions:
            raise RetryError(f"the broker does not tell the partitions of {name}: {found.error}")
        return sorted(found.partitions)

    def _taken(self, messages: Iterable[Message]) -> Iterator[Taken]:
        for message in messages:
            error = message.error()
            if error is not None and error.fatal():
                raise KafkaException(error)
            if error is None and self._is_wanted(message):
                try:
                    yield Taken(self._decoders[message.topic()](message.value()), message.partition())
                except UndecodableError as undecodable:
                    place = f"{message.topic()}:{message.partition()}:{message.offset()}"
                    _log.warning("passed over %s: %s", place, undecodable)

    def _is_wanted(self, message: Message) -> bool:
        return bool(message.topic() != self._names[SCORES.name] or message.key() == ALL.encode())

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def _is_end(message: Message) -> bool:
    error = message.error()
    return error is not None and bool(error.code() == KafkaError._PARTITION_EOF)
