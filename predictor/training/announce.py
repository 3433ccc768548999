"""Read what `models` says, and say something new."""

import time

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, ConfigResource

from predictor.model_feed import ModelFeed
from predictor.training.settings import TrainingSettings
from schemas.broker import require_topics
from schemas.codec import encode, event_headers
from schemas.errors import RetryError
from schemas.events import ModelEvent
from schemas.logs import client_logger
from schemas.topics import MODELS, SCORES

_DELIVER_WITHIN_SECONDS = 30


def require_models_topic(settings: TrainingSettings) -> None:
    """Check that the broker answers and has the topics that are read and written here.

    Raises:
        BrokerUnreachableError: It does not answer.
        StopAndSayError: A topic is missing or not as it should be.
    """
    require_topics(settings, (MODELS, SCORES), AdminClient, ConfigResource)


def newest_decision(settings: TrainingSettings) -> ModelEvent | None:
    """Read `models` to its end, without a group.

    Raises:
        RetryError: The end was not reached within a minute.
    """
    feed = ModelFeed(settings)
    try:
        feed.read_to_ends(lambda: False)
        return feed.poll()
    finally:
        feed.close()


def announce(settings: TrainingSettings, event: ModelEvent) -> None:
    """Send an event to `models` and wait until the broker has it.

    Raises:
        RetryError: It was not taken.
    """
    failures: list[object] = []
    source = f"trainer/{settings.instance}"
    limits = {"acks": "all", "enable.idempotence": True, "message.timeout.ms": _DELIVER_WITHIN_SECONDS * 1_000}
    names = {"client.id": source, "partitioner": "murmur2_random", "logger": client_logger()}
    try:
        producer = Producer(settings.kafka_config() | limits | names)
        producer.produce(
            settings.topic_prefix + MODELS.name,
            key=event.model_set.encode(),
            value=encode(event),
            headers=event_headers("ModelEvent", source, event.id, time.time_ns()),
            on_delivery=lambda error, _message: failures.append(error) if error is not None else None,
        )
        unsent = producer.flush(_DELIVER_WITHIN_SECONDS + 5)
    except KafkaException as error:
        raise RetryError(f"the broker did not take the model event: {error}") from error
    if failures or unsent:
        raise RetryError(f"the broker did not take the model event: {failures[0] if failures else 'no answer'}")
