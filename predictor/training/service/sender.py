"""Send decisions, the wishes of machines, and the status."""

import time

from confluent_kafka import KafkaError, KafkaException, Message
from msgspec import Struct

from predictor.sending import make_producer
from predictor.training.settings import TrainingSettings
from schemas.codec import Headers, encode, event_headers
from schemas.errors import RetryError
from schemas.events import ModelCommand, ModelEvent
from schemas.producers import DELIVER_WITHIN_SECONDS
from schemas.topics import MODEL_COMMANDS, MODELS, SERVICE_STATUS, Topic


class Sender:
    """The producer of the trainer, and of who asks it for something."""

    def __init__(self, settings: TrainingSettings) -> None:
        self._prefix = settings.topic_prefix
        self._source = f"trainer/{settings.instance}"
        self._errors: list[KafkaError | None] = []
        self._producer = make_producer(settings, self._source)

    def announce(self, event: ModelEvent) -> None:
        """Send a decision, and wait until the broker has it.

        Raises:
            RetryError: It was not taken, as far as we know: whoever begins again reads whether it was.
        """
        headers = event_headers("ModelEvent", self._source, event.id, time.time_ns())
        self._send(MODELS, event.model_set, event, headers)

    def command(self, command: ModelCommand) -> None:
        """Send a command likewise: the topic is the journal of what was asked for."""
        self._send(MODEL_COMMANDS, command.scope, command, None)

    def send_status(self, key: bytes, value: bytes) -> None:
        """Send the status, from any thread; nobody waits for it, and a lost one does no harm."""
        self._producer.produce(self._prefix + SERVICE_STATUS.name, key=key, value=value)
        self._producer.poll(0)

    def close(self) -> None:
        """Let the last status go out."""
        self._producer.flush(2)

    def _send(self, topic: Topic, key: str, event: Struct, headers: Headers | None) -> None:
        self._errors.clear()
        try:
            self._producer.produce(
                self._prefix + topic.name,
                key=key.encode(),
                value=encode(event),
                headers=headers,
                on_delivery=self._on_delivery,
            )
        except KafkaException as error:
            raise RetryError(f"the broker did not take a record of {topic.name}: {error}") from error
        deadline = time.monotonic() + DELIVER_WITHIN_SECONDS + 5
        while not self._errors and time.monotonic() < deadline:
            self._producer.poll(0.05)
        error_then = self._errors[0] if self._errors else "no answer"
        if error_then is not None:
            raise RetryError(f"the broker did not take a record of {topic.name}: {error_then}")

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        self._errors.append(error)
