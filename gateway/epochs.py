"""What names the incarnation of a topic, so that offsets of a topic that was made anew are not taken for the old ones.

See docs/adr/0012-epochs-are-topic-ids.md.
"""

import hashlib

from aiokafka.errors import KafkaConnectionError
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from gateway.settings import GatewaySettings

_TIMEOUT_SECONDS = 10.0


class EpochReader:
    """Asks the broker; it may wait for it."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._admin: AdminClient | None = None

    def __call__(self, names: list[str]) -> dict[str, str]:
        """Give the epoch of each topic; what the broker does not have is missing.

        Raises:
            KafkaConnectionError: The broker does not answer.
        """
        if self._admin is None:
            self._admin = AdminClient(self._settings.kafka_config())
        try:
            if self._settings.kafka_embedded:
                return self._of_the_cluster(self._admin, names)
            return self._of_the_topics(self._admin, names)
        except KafkaException as error:
            raise KafkaConnectionError(f"cannot read the topics' ids: {error}") from error

    def _of_the_topics(self, admin: AdminClient, names: list[str]) -> dict[str, str]:
        asked = admin.describe_topics(TopicCollection(names), request_timeout=_TIMEOUT_SECONDS)
        return {name: str(future.result().topic_id) for name, future in asked.items()}

    def _of_the_cluster(self, admin: AdminClient, names: list[str]) -> dict[str, str]:
        """The embedded broker has no ids of topics, and cannot delete one: they live as long as it does."""
        cluster_id = admin.list_topics(timeout=_TIMEOUT_SECONDS).cluster_id
        return {name: hashlib.sha256(f"{cluster_id}/{name}".encode()).hexdigest()[:22] for name in names}
