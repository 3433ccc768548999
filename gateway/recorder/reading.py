"""What is recorded, read without a group: from where the database ends, in whatever incarnation of a topic."""

import logging
from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from gateway.epochs import topic_epochs
from gateway.recorder.rows import RECORDED
from gateway.recorder.settings import RecorderSettings
from gateway.recorder.writing import Place, Position
from schemas.consumers import groupless_config
from schemas.errors import RetryError
from schemas.logs import client_logger

_log = logging.getLogger(__name__)
_ASK_SECONDS = 10.0
_AHEAD_KIBIBYTES = 32_768


class RecordReader:
    """The consumer of the recorder.

    Attributes:
        topics: By whole name, without prefix.
    """

    def __init__(self, settings: RecorderSettings) -> None:
        self.topics = {settings.topic_prefix + topic.name: topic.name for topic, _, _ in RECORDED}
        self._embedded = settings.kafka_embedded
        self._batch_records = settings.recorder_batch_records
        self._epochs: dict[str, str] = {}
        self._next: dict[Place, int] = {}
        self._ends_at_start: dict[Place, int] = {}
        self._admin = AdminClient(settings.kafka_config() | {"logger": client_logger()})
        config = groupless_config(settings, "recorder")
        self._consumer = Consumer(
            config | {"auto.offset.reset": "error", "queued.max.messages.kbytes": _AHEAD_KIBIBYTES}
        )

    def begin(self, left: Mapping[Place, Position]) -> None:
        """Assign every partition where it was left, or from the beginning where its topic was made anew since.

        Raises:
            KafkaException: The broker does not answer.
        """
        self._epochs = self._ask_epochs()
        assigned = []
        for name in self.topics:
            for number in sorted(self._consumer.list_topics(name, timeout=_ASK_SECONDS).topics[name].partitions):
                place = Place(name, number)
                first, end = self._consumer.get_watermark_offsets(TopicPartition(name, number), timeout=_ASK_SECONDS)
                self._next[place] = _start(place, left.get(place), self._epochs[name], first, end)
                self._ends_at_start[place] = end
                assigned.append(TopicPartition(name, number, self._next[place]))
        self._consumer.assign(assigned)

    def read(self, timeout_seconds: float) -> list[Message]:
        """Give what is there, up to a batch; nothing where nothing comes in time.

        Raises:
            RetryError: A place in a topic is no longer there: to begin again finds what is.
            KafkaException: The client cannot go on.
        """
        return [message for message in self._consumer.consume(self._batch_records, timeout_seconds) if _is_one(message)]

    def positions(self, messages: Sequence[Message]) -> dict[Place, Position]:
        """Give where to go on after these; the reader counts them as read."""
        found = {Place(message.topic(), message.partition()): message.offset() + 1 for message in messages}
        self._next |= found
        return {place: Position(self._epochs[place.topic], offset) for place, offset in found.items()}

    def check_epochs(self) -> None:
        """Check that the topics are still those that reading began with; a broker that is silent says nothing.

        Raises:
            RetryError: One was made anew: to begin again reads it from its beginning.
        """
        try:
            now = self._ask_epochs()
        except KafkaException as error:
            _log.warning("the broker does not say which topics it has: %s", error.args[0].str())
            return
        anew = [name for name, epoch in now.items() if epoch != self._epochs[name]]
        if anew:
            raise RetryError(f"made anew while it was read: {', '.join(anew)}; beginning again")

    def caught_up(self) -> bool:
        """Tell whether all was read that was there at the start."""
        return all(self._next[place] >= end for place, end in self._ends_at_start.items())

    def lag_records(self) -> dict[str, int]:
        """Count the records that are there and not read, by topic, by what the last fetches told."""
        lag = dict.fromkeys(self.topics.values(), 0)
        for place, position in self._next.items():
            partition = TopicPartition(place.topic, place.partition)
            _, high = self._consumer.get_watermark_offsets(partition, cached=True)
            lag[self.topics[place.topic]] += max(0, max(high, self._ends_at_start[place]) - position)
        return lag

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()

    def _ask_epochs(self) -> dict[str, str]:
        return topic_epochs(self._admin, list(self.topics), embedded=self._embedded)


def _start(place: Place, left: Position | None, epoch: str, first: int, end: int) -> int:
    """Say at which offset reading begins; rows that are there already stay as they are."""
    if left is None:
        return first
    if left.epoch != epoch or left.next_offset > end:
        _log.warning("%s[%d] was made anew: it is recorded from its beginning", place.topic, place.partition)
        return first
    if left.next_offset < first:
        missing = first - left.next_offset
        _log.warning("%s[%d]: %d records were deleted before they were recorded", place.topic, place.partition, missing)
        return first
    return left.next_offset


def _is_one(message: Message) -> bool:
    error = message.error()
    if error is None:
        return True
    if error.code() == KafkaError._AUTO_OFFSET_RESET:
        raise RetryError(f"a place in {message.topic()} is no longer there: {error.str()}")
    if error.fatal():
        raise KafkaException(error)
    _log.warning("reading: %s", error.str())  # of others librdkafka tries again by itself
    return False
