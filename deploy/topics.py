"""Create every topic of the contract before anything starts."""

from schemas.settings import Settings


def create_topics(settings: Settings, bootstrap_servers: str | None = None) -> list[str]:
    """Create what is missing of `schemas.topics.ALL_TOPICS` and check what is there.

    On the embedded broker (`settings.kafka_embedded`) each topic is touched, which makes it with 4 partitions.

    Args:
        settings: Prefix, partitions, replication factor, retention, connection.
        bootstrap_servers: Instead of the settings' own.

    Returns:
        Full names of the topics that were made now.

    Raises:
        StopAndSayError: The broker does not answer, or a topic is there with another partition count or cleanup.
    """
    raise NotImplementedError
