"""The Kafka that a benchmark runs on, and topics of its own for each run."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.kafka.server import start_local_kafka
from deploy.kafka.settings import LocalKafkaSettings
from deploy.topics import create_topics, delete_topics
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS

ADDRESS_VARIABLE = "TICKCAST_BENCH_KAFKA"


@contextmanager
def kafka() -> Iterator[str]:
    """Give the address of the cluster in `TICKCAST_BENCH_KAFKA`, or of a local Kafka made for the purpose."""
    address = os.environ.get(ADDRESS_VARIABLE)
    if address:
        yield address
        return
    with tempfile.TemporaryDirectory() as folder:
        node = start_local_kafka(Path(folder), LocalKafkaSettings(_env_file=None, kafka_port=0), print)
        try:
            yield node.ports.bootstrap_servers
        finally:
            node.stop()


@contextmanager
def fresh_topics(address: str, partitions: int) -> Iterator[Settings]:
    """Give settings with a topic prefix of their own; the topics are deleted after."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    settings = Settings(
        _env_file=None, kafka_bootstrap_servers=address, topic_prefix=prefix, partitions=partitions, interval="1m"
    )
    create_topics(settings)
    try:
        yield settings
    finally:
        delete_topics(settings, [prefix + topic.name for topic in ALL_TOPICS])


def environment(settings: Settings, **more: object) -> dict[str, str]:
    """Give the variables that lead a process to a run's topics."""
    named = {
        "kafka_bootstrap_servers": settings.kafka_bootstrap_servers,
        "topic_prefix": settings.topic_prefix,
        "partitions": settings.partitions,
        "interval": settings.interval,
        **more,
    }
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TICKCAST_")}
    return ours | {f"TICKCAST_{name.upper()}": str(value) for name, value in named.items()}
