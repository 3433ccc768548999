"""Read what `models` says, and say something new."""

import time

from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient, ConfigResource

from predictor.settings import PredictorSettings
from predictor.training.settings import TrainingSettings
from predictor.training.topic_end import read_to_end
from schemas.broker import require_topics
from schemas.codec import UndecodableError, decoder, event_headers
from schemas.decisions import Decisions
from schemas.events import ModelEvent
from schemas.producers import send_and_wait
from schemas.topics import MODELS


def require_models_topic(settings: TrainingSettings) -> None:
    """Check that the broker answers and has the topic that is read and written here.

    Raises:
        BrokerUnreachableError: It does not answer.
        StopAndSayError: The topic is missing or not as it should be.
    """
    require_topics(settings, (MODELS,), AdminClient, ConfigResource)


def read_decisions(settings: PredictorSettings) -> list[ModelEvent]:
    """Read `models` to its end, and give the decisions, the one that holds first.

    Raises:
        RetryError: The broker does not answer, or gives nothing for a minute.
        StopAndSayError: There is no such topic.
    """
    decisions, decode = Decisions(), decoder(ModelEvent)

    def take(message: Message) -> None:
        try:
            decisions.add(message.partition(), decode(message.value()))
        except UndecodableError:  # it stays in its topic, and decides nothing
            return

    read_to_end(settings, MODELS, take)
    return list(decisions.newest_first())


def newest_decision(settings: PredictorSettings) -> ModelEvent | None:
    """Give the decision that holds; raises as `read_decisions` does."""
    return next(iter(read_decisions(settings)), None)


def announce(settings: TrainingSettings, event: ModelEvent) -> None:
    """Send an event to `models` and wait until the broker has it.

    Raises:
        RetryError: It was not taken.
    """
    source = f"trainer/{settings.instance}"
    headers = event_headers("ModelEvent", source, event.id, time.time_ns())
    send_and_wait(settings, source, MODELS, event.model_set, event, headers, producer_client=Producer)
