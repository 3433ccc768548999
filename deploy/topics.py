"""Create every topic of the contract before anything starts: `python -m deploy.topics`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from deploy.reach import all_answer, quiet_admin
from deploy.say import errors_in_one_line
from schemas.broker import check_topics, first_answer, found_topics, require_topics, wait_until
from schemas.errors import StopAndSayError
from schemas.refusal import Refusal
from schemas.settings import Settings, load_settings
from schemas.topics import ALL_TOPICS, Topic, partition_count

_SECONDS = 30.0


def create_topics(settings: Settings, *, answer_seconds: float = 10.0) -> list[str]:
    """Create what is missing of `schemas.topics.ALL_TOPICS` and check what is there.

    On the embedded broker (`settings.kafka_embedded`) each topic is touched, which makes it with 4 partitions.

    Args:
        settings: Prefix, partitions, replication factor, retention, connection.
        answer_seconds: How long to wait for a broker that is silent.

    Returns:
        Full names of the topics that were made now.

    Raises:
        StopAndSayError: The broker does not answer, or a topic is there with another partition count or cleanup; then
            none is made.
    """
    config = settings.kafka_config()
    refusal = Refusal(config)
    admin = quiet_admin(config, refusal)
    missing = _missing_topics(settings, admin, refusal, answer_seconds)
    if settings.kafka_embedded:
        for topic in missing:
            admin.list_topics(settings.topic_prefix + topic.name, timeout=_SECONDS)
    elif missing:
        _create(settings, admin, missing)
    require_topics(settings, ALL_TOPICS, AdminClient, ConfigResource)
    if not settings.kafka_embedded:
        _wait_until_served(settings)
    return [settings.topic_prefix + topic.name for topic in missing]


def delete_topics(settings: Settings, names: list[str]) -> None:
    """Delete topics by full name; what is not there is no error. The embedded broker cannot."""
    if settings.kafka_embedded or not names:
        return
    admin = quiet_admin(settings.kafka_config())
    _settle(admin.delete_topics(names, operation_timeout=_SECONDS), KafkaError.UNKNOWN_TOPIC_OR_PART)


def _missing_topics(settings: Settings, admin: AdminClient, refusal: Refusal, seconds: float) -> list[Topic]:
    """Give what is not there, after checking what is."""
    names = [settings.topic_prefix + topic.name for topic in ALL_TOPICS]
    resource = None if settings.kafka_embedded else partial(ConfigResource, "topic")
    try:
        first_answer(admin, refusal, seconds=seconds)
        found = found_topics(admin, names, resource, seconds=seconds)
    except KafkaException as error:
        raise StopAndSayError(
            f"no Kafka broker answers at {settings.kafka_bootstrap_servers}: {refusal.explain(error.args[0].str())}"
        ) from error
    there = tuple(topic for topic in ALL_TOPICS if settings.topic_prefix + topic.name in found)
    check_topics(settings, there, found)
    return [topic for topic in ALL_TOPICS if topic not in there]


def _create(settings: Settings, admin: AdminClient, topics: list[Topic]) -> None:
    new = [
        NewTopic(
            settings.topic_prefix + topic.name,
            num_partitions=partition_count(topic, settings.partitions),
            replication_factor=settings.replication_factor,
            config=topic.config(settings.topic_retention_bytes),
        )
        for topic in topics
    ]
    # Another deployment may make the same ones now; the check that follows speaks for both.
    _settle(admin.create_topics(new, operation_timeout=_SECONDS), KafkaError.TOPIC_ALREADY_EXISTS)
    names = {topic.topic for topic in new}
    _wait(settings, lambda: names <= admin.list_topics(timeout=_SECONDS).topics.keys(), "the news of the topics")


def _settle(futures: dict[str, Any], harmless: int) -> None:
    """Wait for the broker's answers; all that it refuses in one line."""
    refused = []
    for name, future in futures.items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != harmless:
                refused.append(f"topic {name}: {error.args[0].str()}")
    if refused:
        raise StopAndSayError("the broker refuses " + "; ".join(refused))


def _wait_until_served(settings: Settings) -> None:
    """Wait until every partition answers, those that were there too."""
    wanted = [
        TopicPartition(settings.topic_prefix + topic.name, number)
        for topic in ALL_TOPICS
        for number in range(partition_count(topic, settings.partitions))
    ]
    _wait(
        settings, lambda: all_answer(settings.kafka_config(), wanted, _SECONDS), "the start of the topics' partitions"
    )


def _wait(settings: Settings, holds: Callable[[], bool], what: str) -> None:
    try:
        wait_until(holds, seconds=_SECONDS, what=what)
    except (TimeoutError, KafkaException) as error:
        raise StopAndSayError(f"the broker at {settings.kafka_bootstrap_servers} is not healthy: {error}") from error


def main() -> None:
    """Create the topics of the deployment that the settings describe, and say how many."""
    with errors_in_one_line("topics"):
        settings = load_settings(Settings)
        created = len(create_topics(settings))
    existed = len(ALL_TOPICS) - created
    print(f"topics: {created} created, {existed} already existed, on {settings.kafka_bootstrap_servers}")


if __name__ == "__main__":
    main()
