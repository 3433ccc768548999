"""What a benchmark does to the topics of its own run."""

from collections.abc import Iterator
from contextlib import closing, suppress

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from schemas.settings import Settings
from schemas.topics import FEATURE_STAGE, TICKS, Topic, partition_count


def configure(settings: Settings, topic: Topic, config: dict[str, str]) -> None:
    """Set some of a topic's configuration, in Kafka's names."""
    resource = ConfigResource(
        "topic",
        settings.topic_prefix + topic.name,
        incremental_configs=[
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in config.items()
        ],
    )
    admin = _admin(settings)  # its questions die with it
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()


def places(settings: Settings, topic: Topic, offset: int = OFFSET_INVALID) -> list[TopicPartition]:
    """Give all partitions of a topic."""
    name = settings.topic_prefix + topic.name
    return [TopicPartition(name, number, offset) for number in range(partition_count(topic, settings.partitions))]


def reader(settings: Settings) -> Consumer:
    """Give a consumer that belongs to no group and waits for nothing."""
    return Consumer(
        settings.kafka_config()
        | {
            "group.id": f"{settings.topic_prefix}reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 20,
            "fetch.queue.backoff.ms": 1,
            "log_level": 0,
        }
    )


def messages(settings: Settings, topic: Topic) -> Iterator[Message]:
    """Give every record of a topic, up to the ends of its partitions."""
    with closing(reader(settings)) as consumer:
        there = places(settings, topic, 0)
        consumer.assign(there)
        left = len(there)
        while left:
            for message in consumer.consume(1_000, 1.0):
                if message.error():
                    left -= 1  # its end
                else:
                    yield message


class Trimmer:
    """Deletes the records of `ticks` that the stage has checkpointed; the broker drops their segments when it looks."""

    def __init__(self, settings: Settings) -> None:
        self._ticks = places(settings, TICKS)
        self._admin = _admin(settings)
        self._group = Consumer(  # asks, and never joins
            settings.kafka_config() | {"group.id": settings.topic_prefix + FEATURE_STAGE, "log_level": 0}
        )

    def trim(self) -> None:
        """Trim now; what the broker refuses is left to the next time."""
        with suppress(KafkaException):
            kept = [place for place in self._group.committed(self._ticks, timeout=10) if place.offset > 0]
            for trimmed in (self._admin.delete_records(kept) if kept else {}).values():
                trimmed.result()

    def close(self) -> None:
        """Let go of the broker."""
        self._group.close()


def _admin(settings: Settings) -> AdminClient:
    return AdminClient(settings.kafka_config() | {"log_level": 0})
