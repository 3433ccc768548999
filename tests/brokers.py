"""A broker as one test sees it: a topic prefix of its own, topics made, ways to write and to read."""

import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from msgspec import Struct

from deploy.topics import create_topics, delete_topics
from schemas.broker import wait_until
from schemas.codec import encode
from schemas.settings import ENV_PREFIX, AnySettings, Settings
from schemas.topics import ALL_TOPICS, Topic
from tests.records import DEADLINE_SECONDS, Enough, Record, bounds_of, read_until

_BY_NAME = {topic.name: topic for topic in ALL_TOPICS}


@dataclass(frozen=True)
class Server:
    """A broker that runs for a whole session of tests."""

    bootstrap_servers: str
    embedded: bool

    @cached_property
    def producer(self) -> Producer:
        """Give one for all tests. Without idempotence, which costs each new producer half a second for an id."""
        return Producer(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "acks": "all",
                "max.in.flight": 1,  # keeps the order where a record is sent again
                "partitioner": "murmur2_random",
                "linger.ms": 0,
                "log_level": 0,
            }
        )


class BrokerUnderTest:
    """A broker, and in it the topics of one test."""

    def __init__(self, server: Server, **overrides: Any) -> None:
        self._server = server
        self.embedded = server.embedded
        self.bootstrap_servers = server.bootstrap_servers
        self.topic_prefix: str = overrides.pop("topic_prefix", f"t{uuid.uuid4().hex[:10]}.")
        self._overrides = overrides

    @overload
    def settings(self, **overrides: Any) -> Settings: ...

    @overload
    def settings(self, settings_type: type[AnySettings], **overrides: Any) -> AnySettings: ...

    def settings(self, settings_type: type[Settings] = Settings, **overrides: Any) -> Settings:
        """Give settings that lead here, whatever the machine's environment and `.env` say."""
        ours: dict[str, Any] = {
            "kafka_bootstrap_servers": self.bootstrap_servers,
            "kafka_embedded": self.embedded,
            "topic_prefix": self.topic_prefix,
        }
        return settings_type(_env_file=None, **(ours | self._overrides | overrides))

    def environment(self, **overrides: Any) -> dict[str, str]:
        """Give the `TICKCAST_*` variables that lead a child process here; more by their setting's name."""
        ours: dict[str, Any] = {
            "kafka_bootstrap_servers": self.bootstrap_servers,
            "kafka_embedded": int(self.embedded),
            "topic_prefix": self.topic_prefix,
            **self._overrides,
            **overrides,
        }
        return {f"{ENV_PREFIX}{name.upper()}": str(value) for name, value in ours.items()}

    def create_topics(self) -> list[str]:
        """Make the topics and give their full names."""
        return create_topics(self.settings())

    def delete_topics(self) -> None:
        """Delete the topics, where the broker can."""
        delete_topics(self.settings(), [self.topic_prefix + topic.name for topic in ALL_TOPICS])

    def replace_topic(self, topic: Topic | str) -> None:
        """Put an empty topic in a topic's place."""
        name = self.full_name(topic)
        consumer = self._consumer()
        delete_topics(self.settings(), [name])
        wait_until(lambda: name not in consumer.list_topics(timeout=5).topics, seconds=20, what=f"{name} being deleted")
        consumer.close()
        self.create_topics()

    def trim(self, topic: Topic | str, partition: int, before_offset: int) -> None:
        """Delete the records of a partition before an offset, as retention does."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
        place = TopicPartition(self.full_name(topic), partition, before_offset)
        for future in admin.delete_records([place]).values():
            future.result(DEADLINE_SECONDS)

    def full_name(self, topic: Topic | str) -> str:
        """Give the name on the broker."""
        return self.topic_prefix + _topic(topic).name

    def produce(
        self,
        topic: Topic | str,
        *values: Struct | bytes | None,
        key: str | bytes | None = None,
        partition: int = -1,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> None:
        """Write records, events or bytes, and wait until the broker has them.

        Args:
            partition: -1 leaves it to Kafka's murmur2 of the key.
        """
        failures: list[Any] = []
        producer = self._server.producer
        for value in values:
            producer.produce(
                self.full_name(topic),
                value=encode(value) if isinstance(value, Struct) else value,
                key=key,
                partition=partition,
                headers=headers,
                on_delivery=lambda error, _: failures.append(error) if error else None,
            )
        left = producer.flush(DEADLINE_SECONDS)
        assert not left, f"{left} records were not taken within {DEADLINE_SECONDS:g} s"
        assert not failures, failures

    def read(
        self, topic: Topic | str, until: Enough | None = None, deadline_seconds: float = DEADLINE_SECONDS
    ) -> list[Record]:
        """Read all partitions from the beginning until it is enough; None: to the ends as they are now.

        Fails the test at the deadline, and says what was read.
        """
        consumer = self._consumer()
        try:
            return read_until(consumer, _topic(topic), self._partitions(consumer, topic), until, deadline_seconds)
        finally:
            consumer.close()

    def ends(self, topic: Topic | str) -> dict[int, int]:
        """Give the offset that the next record of each partition will get."""
        consumer = self._consumer()
        try:
            return {p.partition: bounds_of(consumer, p)[1] for p in self._partitions(consumer, topic)}
        finally:
            consumer.close()

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "group.id": f"{self.topic_prefix}reader",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 20,
                "log_level": 0,
            }
        )

    def _partitions(self, consumer: Consumer, topic: Topic | str) -> list[TopicPartition]:
        name = self.full_name(topic)
        found = consumer.list_topics(name, timeout=DEADLINE_SECONDS).topics[name]
        assert found.error is None, f"{name}: {found.error}"
        return [TopicPartition(name, number, OFFSET_BEGINNING) for number in sorted(found.partitions)]


def _topic(topic: Topic | str) -> Topic:
    return _BY_NAME[topic] if isinstance(topic, str) else topic


__all__ = ["BrokerUnderTest", "Enough", "Record", "Server"]
