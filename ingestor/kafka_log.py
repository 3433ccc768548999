"""The end of `ticks` on a broker."""

from collections.abc import Sequence

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition

from schemas.consumers import groupless_config
from schemas.errors import RetryError
from schemas.settings import Settings

_ANSWER_SECONDS = 10.0


class KafkaLogEnd:
    """The partitions of `ticks` on a broker.

    Args:
        settings: Connection and prefix.
        topic: Full name.
    """

    def __init__(self, settings: Settings, topic: str) -> None:
        self._topic = topic
        own = {
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 10,  # the next partition waits for the fetch of the one before
            "log_level": "0",  # what goes wrong here, we say ourselves
        }
        self._consumer = Consumer(groupless_config(settings, "ingestor-resume", tell_ends=True) | own)

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def bounds(self, partition: int) -> tuple[int, int]:
        """Give the first offset and the one after the last."""
        try:
            first, end = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), _ANSWER_SECONDS)
        except KafkaException as error:
            raise RetryError(f"{self._topic}/{partition}: the broker does not say where it ends: {error}") from error
        return (max(0, first), end) if end != OFFSET_INVALID else (0, 0)

    def values(self, partition: int, first: int, end: int) -> Sequence[bytes | None]:
        """Give the values of the records in `[first, end)` that there are, in order."""
        self._consumer.assign([TopicPartition(self._topic, partition, first)])
        values: list[bytes | None] = []
        while True:
            messages = self._consumer.consume(end - first, timeout=_ANSWER_SECONDS)
            if not messages:
                raise RetryError(f"{self._topic}/{partition}: no record within {_ANSWER_SECONDS:g} s")
            for message in messages:
                error = message.error()
                if error and error.code() != KafkaError._PARTITION_EOF:
                    raise RetryError(f"{self._topic}/{partition}: {error}")
                if error or message.offset() >= end:
                    return values
                values.append(message.value())
                if message.offset() == end - 1:
                    return values
