"""Read what `models` says, and say something new."""

import time

from confluent_kafka.admin import AdminClient, ConfigResource

from predictor.model_feed import ModelFeed
from predictor.sending import send_and_wait
from predictor.training.settings import TrainingSettings
from schemas.broker import require_topics
from schemas.codec import event_headers
from schemas.events import ModelEvent
from schemas.topics import MODELS, SCORES


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
    source = f"trainer/{settings.instance}"
    headers = event_headers("ModelEvent", source, event.id, time.time_ns())
    send_and_wait(settings, source, MODELS, event.model_set, event, headers)
