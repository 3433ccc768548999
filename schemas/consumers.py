"""How whoever belongs to no group reads from a broker, in librdkafka's names. The client is the caller's."""

from typing import Any

from schemas.logs import client_logger
from schemas.settings import Settings


def groupless_config(settings: Settings, name: str, *, tell_ends: bool = False) -> dict[str, Any]:
    """Give the configuration of a consumer that is assigned its partitions, and commits nothing.

    Args:
        settings: Connection and prefix.
        name: Who reads.
        tell_ends: Give a message whose error is `_PARTITION_EOF` at each end of a partition.
    """
    return settings.kafka_config() | {
        "group.id": f"{settings.topic_prefix}{name}-unused",  # librdkafka wants one
        "enable.auto.commit": False,
        "enable.partition.eof": tell_ends,
        "fetch.wait.max.ms": 100,  # the embedded broker holds an empty fetch for its whole wait
        "logger": client_logger(),
    }
