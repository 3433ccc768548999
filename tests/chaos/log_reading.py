"""Whole topics, record after record: they need not fit into memory."""

from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.topics import Topic
from tests.brokers import BrokerUnderTest
from tests.records import DEADLINE_SECONDS, bounds_of


def records_of(broker: BrokerUnderTest, topic: Topic) -> Iterator[Message]:
    """Give a topic's records up to its ends of now, one partition after the other."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "group.id": f"{broker.topic_prefix}chaos",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 20,  # for so long a partition that is read is waited for before the next one
            "log_level": 0,
        }
    )
    try:
        for partition in sorted(broker.ends(topic)):
            yield from _partition(consumer, TopicPartition(broker.full_name(topic), partition))
    finally:
        consumer.close()


def _partition(consumer: Consumer, place: TopicPartition) -> Iterator[Message]:
    first, end = bounds_of(consumer, place)
    place.offset = first
    consumer.assign([place])
    while first < end:
        first_message = consumer.poll(DEADLINE_SECONDS)
        assert first_message is not None, f"{place}: nothing came within {DEADLINE_SECONDS:g} s"
        for message in (first_message, *consumer.consume(1_000, 0)):
            error = message.error()
            if error is None and message.offset() < end:
                yield message
            elif error is None or error.code() == KafkaError._PARTITION_EOF:
                return
            else:
                raise KafkaException(error)


def has_absorbed(broker: BrokerUnderTest, group: str, topic: Topic) -> bool:
    """Tell whether a group has committed all that there is."""
    return committed_offsets(broker, group, topic) == {
        partition: end for partition, end in broker.ends(topic).items() if end
    }


def committed_offsets(broker: BrokerUnderTest, group: str, topic: Topic) -> Mapping[int, int]:
    """Give the next offset of a group, by partition; none where it has committed nothing."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": group, "log_level": 0})
    try:
        partitions = [TopicPartition(broker.full_name(topic), number) for number in broker.ends(topic)]
        asked = consumer.committed(partitions, timeout=DEADLINE_SECONDS)
        return {place.partition: place.offset for place in asked if place.offset > 0}
    finally:
        consumer.close()
