"""What every service asks of the broker before it starts. The client is the caller's: this room knows none."""

import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from schemas.errors import RetryError, StopAndSayError, TickcastError
from schemas.refusal import Refusal
from schemas.settings import Settings
from schemas.topics import FoundTopic, Topic, topic_problems

#: A broker that refuses us says so at once, and librdkafka's call waits on all the same; the last try has all the time.
_PATIENCE_SECONDS = (1.0, 2.0, math.inf)


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


def check_topics(settings: Settings, topics: tuple[Topic, ...], found: Mapping[str, FoundTopic]) -> None:
    """Check what a broker has of some topics.

    Raises:
        StopAndSayError: A topic is missing or not as it should be.
    """
    problems = topic_problems(
        topics,
        found,
        prefix=settings.topic_prefix,
        partitions=settings.partitions,
        embedded=settings.kafka_embedded,
    )
    if problems:
        raise StopAndSayError("; ".join(problems))


def require_topics(
    settings: Settings,
    topics: tuple[Topic, ...],
    admin_client: Callable[[dict[str, Any]], Any],
    config_resource: Callable[[str, str], Any],
) -> Mapping[str, FoundTopic]:
    """Check that the topics are there and as they should be.

    Args:
        settings: Connection, prefix and partitions.
        topics: Those that the service needs.
        admin_client: confluent-kafka's `AdminClient`.
        config_resource: Its `ConfigResource`.

    Returns:
        What the broker has of them, by full name.

    Raises:
        BrokerUnreachableError: The broker does not answer within `settings.kafka_answer_seconds`.
        StopAndSayError: A topic is missing or not as it should be, no client can be made with these settings, or the
            broker does not let it in.
    """
    config = settings.kafka_config()
    refusal = Refusal(config)
    admin = _admin(admin_client, config | {"log_level": "0", "error_cb": refusal})
    names = [settings.topic_prefix + topic.name for topic in topics]
    resource = None if settings.kafka_embedded else partial(config_resource, "topic")
    try:
        first_answer(admin, refusal, seconds=settings.kafka_answer_seconds)
        found = found_topics(admin, names, resource, seconds=settings.kafka_answer_seconds)
    except TickcastError:
        raise
    except Exception as error:  # confluent-kafka's KafkaException, which this room does not know: retry
        raise BrokerUnreachableError(
            f"no Kafka broker answers at {settings.kafka_bootstrap_servers}: {refusal.explain(_words(error))}"
        ) from error
    check_topics(settings, topics, found)
    return found


def first_answer(admin: Any, refusal: Refusal, *, seconds: float) -> Any:
    """Ask a broker for what it has, and stop where it will never let us in.

    Args:
        admin: A confluent-kafka `AdminClient`; any of its exceptions comes out when the time is up.
        refusal: Its `error_cb`.
        seconds: How long the answer may take.

    Returns:
        The broker's metadata.

    Raises:
        StopAndSayError: It does not let us in.
    """
    deadline = time.monotonic() + seconds
    for patience in _PATIENCE_SECONDS:
        left = deadline - time.monotonic()
        try:
            return admin.list_topics(timeout=min(left, patience))
        except Exception:  # KafkaException, likewise: retry until the time is up
            admin.poll(0)  # only here is the refusal told
            refusal.stop_where_final()
            if left <= patience:
                raise
    raise AssertionError("the last try returns or raises")


def _admin(admin_client: Callable[[dict[str, Any]], Any], config: dict[str, Any]) -> Any:
    try:
        return admin_client(config)
    except Exception as error:  # KafkaException, likewise: stop, a file of certificates is not there or the like
        raise StopAndSayError(f"wrong settings TICKCAST_KAFKA_*: {_words(error)}") from error


def _words(error: Exception) -> str:
    """Give the words of a KafkaException, which holds a KafkaError, or of another."""
    words = getattr(error.args[0] if error.args else None, "str", error.__str__)
    return str(words())


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
