"""How a record is sent and waited for, in librdkafka's names. The client is the caller's: this room knows none."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from schemas.codec import Headers, encode
from schemas.errors import RetryError
from schemas.logs import client_logger
from schemas.settings import Settings
from schemas.topics import Topic

DELIVER_WITHIN_SECONDS = 30.0


def producer_config(
    settings: Settings, client_id: str, within_seconds: float = DELIVER_WITHIN_SECONDS
) -> dict[str, Any]:
    """Give the configuration of a producer whose records are on all replicas when they are acknowledged, each once and
    in order."""
    return settings.kafka_config() | {
        "client.id": client_id,
        "logger": client_logger(),
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "linger.ms": 1,
        "message.timeout.ms": int(within_seconds * 1_000),
    }


def send_and_wait(
    settings: Settings,
    client_id: str,
    topic: Topic,
    key: str,
    event: Struct,
    headers: Headers | None = None,
    *,
    producer_client: Callable[[Any], Any],
    within_seconds: float = DELIVER_WITHIN_SECONDS,
) -> None:
    """Send one record, and wait until the broker has it.

    Args:
        producer_client: confluent-kafka's `Producer`.
        within_seconds: After which nothing is sent any more.

    Raises:
        RetryError: It was not taken, as far as we know: what was under way when the time was up may have arrived.
    """
    failures: list[object] = []
    try:
        producer = producer_client(producer_config(settings, client_id, within_seconds))
        producer.produce(
            settings.topic_prefix + topic.name,
            key=key.encode(),
            value=encode(event),
            headers=headers,
            on_delivery=lambda error, _message: failures.append(error) if error is not None else None,
        )
        unsent = producer.flush(within_seconds)
        producer.purge()
    except Exception as error:  # confluent-kafka's KafkaException, which this room does not know: retry
        raise RetryError(f"the broker did not take a record of {topic.name}: {error}") from error
    if failures or unsent:
        raise RetryError(
            f"the broker did not take a record of {topic.name}: {failures[0] if failures else 'no answer'}"
        )
