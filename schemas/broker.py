"""What every service asks of the broker before it starts. The client is the caller's: this room knows none."""

import time
from collections.abc import Callable
from typing import Any

from schemas.errors import RetryError, StopAndSayError
from schemas.settings import Settings
from schemas.topics import FoundTopic, Topic, topic_problems


class BrokerUnreachableError(RetryError):
    """No broker answers now; whoever supervises the service starts it again."""


def found_topics(
    admin: Any, names: list[str], config_resource: Callable[[str], Any] | None, *, seconds: float = 10.0
) -> dict[str, FoundTopic]:
    """Describe topics through a confluent-kafka `AdminClient`.

    Args:
        admin: The client.
        config_resource: Makes a `ConfigResource` of a topic's name; None where the broker has no configuration.
        seconds: How long each of the two questions may take.

    Returns:
        By full name; what the broker does not have is missing.
    """
    there = admin.list_topics(timeout=seconds).topics
    counts = {name: len(there[name].partitions) for name in names if name in there and there[name].error is None}
    if config_resource is None or not counts:
        return {name: FoundTopic(count, None) for name, count in counts.items()}
    asked = admin.describe_configs([config_resource(name) for name in counts], request_timeout=seconds)
    return {
        resource.name: FoundTopic(counts[resource.name], future.result()["cleanup.policy"].value)
        for resource, future in asked.items()
    }


def require_topics(
    settings: Settings, topics: tuple[Topic, ...], admin: Any, config_resource: Callable[[str], Any]
) -> None:
    """Check that the topics are there and as they should be.

    Raises:
        BrokerUnreachableError: The broker does not answer within 10 s.
        StopAndSayError: A topic is missing or not as it should be.
    """
    names = [settings.topic_prefix + topic.name for topic in topics]
    try:
        found = found_topics(admin, names, None if settings.kafka_embedded else config_resource)
    except Exception as error:  # confluent-kafka's KafkaException, which this room does not know: retry
        raise BrokerUnreachableError(
            f"no Kafka broker answers at {settings.kafka_bootstrap_servers}: {error}"
        ) from error
    problems = topic_problems(
        topics,
        found,
        prefix=settings.topic_prefix,
        partitions=settings.partitions,
        embedded=settings.kafka_embedded,
    )
    if problems:
        raise StopAndSayError("; ".join(problems))


def wait_until(holds: Callable[[], bool], *, seconds: float, what: str, every_seconds: float = 0.1) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: It did not hold in time; the text names what was waited for.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:g} s")
        time.sleep(every_seconds)
