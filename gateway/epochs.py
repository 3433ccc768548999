"""What names the incarnation of a topic, so that offsets of a topic that was made anew are not taken for the old ones.

See docs/adr/0012-epochs-are-topic-ids.md.
"""

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaConnectionError
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from gateway.settings import GatewaySettings
from schemas.logs import client_logger

#: Gives the epoch of each topic that is named; of what the broker does not have, none.
ReadEpochs = Callable[[list[str]], Awaitable[dict[str, str]]]

_TIMEOUT_SECONDS = 10.0


class EpochReader:
    """Asks the broker through librdkafka: aiokafka knows no ids of topics."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._admin: AdminClient | None = None

    async def __call__(self, names: list[str]) -> dict[str, str]:
        """Give the epochs.

        Raises:
            KafkaConnectionError: The broker does not answer.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[dict[str, str]] = loop.create_future()

        def tell(epochs: dict[str, str] | None, error: KafkaException | None) -> None:
            if answer.done():  # nobody waits any more
                return
            if epochs is None:
                answer.set_exception(KafkaConnectionError(f"cannot read the topics' ids: {error}"))
            else:
                answer.set_result(epochs)

        def ask() -> None:
            epochs, failure = None, None
            try:
                epochs = self._ask(names)
            except KafkaException as error:
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(tell, epochs, failure)

        threading.Thread(target=ask, name="epochs", daemon=True).start()  # a stop does not wait for a broker
        return await answer

    def _ask(self, names: list[str]) -> dict[str, str]:
        if self._admin is None:
            self._admin = AdminClient(self._settings.kafka_config() | {"logger": client_logger()})
        return topic_epochs(self._admin, names, embedded=self._settings.kafka_embedded)


def topic_epochs(admin: AdminClient, names: list[str], *, embedded: bool) -> dict[str, str]:
    """Ask the broker for the epochs of topics, and wait for the answer.

    Raises:
        KafkaException: It does not answer, or has not such a topic.
    """
    return _of_the_cluster(admin, names) if embedded else _of_the_topics(admin, names)


def _of_the_topics(admin: AdminClient, names: list[str]) -> dict[str, str]:
    asked = admin.describe_topics(TopicCollection(names), request_timeout=_TIMEOUT_SECONDS)
    return {name: str(future.result().topic_id) for name, future in asked.items()}


def _of_the_cluster(admin: AdminClient, names: list[str]) -> dict[str, str]:
    """The embedded broker has no ids of topics, and cannot delete one: they live as long as it does."""
    cluster_id = admin.list_topics(timeout=_TIMEOUT_SECONDS).cluster_id
    return {name: hashlib.sha256(f"{cluster_id}/{name}".encode()).hexdigest()[:22] for name in names}
