"""One way to send a record and wait until the broker has it, for all that belongs to models."""

from confluent_kafka import KafkaException, Producer
from msgspec import Struct

from predictor.settings import PredictorSettings
from schemas.codec import Headers, encode
from schemas.errors import RetryError
from schemas.logs import client_logger
from schemas.topics import Topic

DELIVER_WITHIN_SECONDS = 30.0


def make_producer(
    settings: PredictorSettings, client_id: str, deliver_within_seconds: float = DELIVER_WITHIN_SECONDS
) -> Producer:
    """Make a producer whose records are on all replicas when they are acknowledged, each once and in order."""
    return Producer(
        settings.kafka_config()
        | {
            "client.id": client_id,
            "logger": client_logger(),
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 1,
            "message.timeout.ms": int(deliver_within_seconds * 1_000),
        }
    )


def send_and_wait(
    settings: PredictorSettings, client_id: str, topic: Topic, key: str, event: Struct, headers: Headers | None = None
) -> None:
    """Send one record, and wait until the broker has it.

    Raises:
        RetryError: It was not taken.
    """
    failures: list[object] = []
    try:
        producer = make_producer(settings, client_id)
        producer.produce(
            settings.topic_prefix + topic.name,
            key=key.encode(),
            value=encode(event),
            headers=headers,
            on_delivery=lambda error, _message: failures.append(error) if error is not None else None,
        )
        unsent = producer.flush(DELIVER_WITHIN_SECONDS + 5)
    except KafkaException as error:
        raise RetryError(f"the broker did not take a record of {topic.name}: {error}") from error
    if failures or unsent:
        raise RetryError(
            f"the broker did not take a record of {topic.name}: {failures[0] if failures else 'no answer'}"
        )
