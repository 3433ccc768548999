"""What is asked of the broker for a command: that it is sent, and what is answered to it."""

import time
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from predictor.commanding.answers import Answer, answer_in_event, answer_in_status
from predictor.settings import PredictorSettings
from schemas.codec import UndecodableError, decoder
from schemas.consumers import groupless_config
from schemas.errors import RetryError
from schemas.events import ModelCommand, ModelEvent, ServiceStatus
from schemas.producers import send_and_wait
from schemas.topics import MODEL_COMMANDS, MODELS, SERVICE_STATUS, Topic

_ANSWER_SECONDS = 10.0
_decode_event = decoder(ModelEvent)
_decode_status = decoder(ServiceStatus)


class Answers:
    """What is said of a command from now on: open it before the command is sent."""

    def __init__(self, settings: PredictorSettings, command_id: str) -> None:
        self._command_id = command_id
        self._models = settings.topic_prefix + MODELS.name
        self._consumer = _consumer(settings)
        try:
            for topic in (MODELS, SERVICE_STATUS):
                self._consumer.incremental_assign(_ends(self._consumer, settings, topic))
        except BaseException:
            self._consumer.close()
            raise

    def next(self, seconds: float) -> Answer | None:
        """Give the next answer to the command; None where there is none within so long.

        Raises:
            RetryError: The broker cannot be read.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            found = [each for message in _next(self._consumer, min(left, 0.5)) if (each := self._answer(message))]
            if found:
                return sorted(found, key=_weight)[-1]
        return None

    def _answer(self, message: Message) -> Answer | None:
        if message.error() is not None:
            return None
        if message.topic() == self._models:
            event = _event(message)
            return None if event is None else answer_in_event(event, self._command_id)
        try:
            return answer_in_status(_decode_status(message.value()), self._command_id)
        except UndecodableError:
            return None

    def decision(self, seconds: float) -> Answer | None:
        """Give the decision that answers the command; None where there is none within so long."""
        deadline = time.monotonic() + seconds
        while (answer := self.next(deadline - time.monotonic())) is not None:
            if answer.decided:
                return answer
        return None

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def _weight(answer: Answer) -> tuple[bool, bool]:
    return answer.decided, answer.done is not None


def send_command(settings: PredictorSettings, command: ModelCommand) -> None:
    """Send a command, and wait until the broker has it.

    Raises:
        RetryError: It was not taken.
    """
    send_and_wait(settings, "tickcast-models", MODEL_COMMANDS, command.scope, command, producer_client=Producer)


def _consumer(settings: PredictorSettings) -> Consumer:
    return Consumer(groupless_config(settings, "commanding", tell_ends=True))


def _ends(consumer: Consumer, settings: PredictorSettings, topic: Topic) -> list[TopicPartition]:
    """Give the partitions of a topic, and where the next record of each will be."""
    name = settings.topic_prefix + topic.name
    try:
        partitions = consumer.list_topics(name, timeout=_ANSWER_SECONDS).topics[name].partitions
        return [
            TopicPartition(
                name, number, consumer.get_watermark_offsets(TopicPartition(name, number), _ANSWER_SECONDS)[1]
            )
            for number in partitions
        ]
    except KafkaException as error:
        raise RetryError(f"{name}: {error.args[0].str()}") from error


def _next(consumer: Consumer, seconds: float) -> Iterator[Message]:
    """Wait for a message, and give it with those that are there too, and ends of partitions; librdkafka tries again."""
    first = consumer.poll(seconds)
    for message in () if first is None else (first, *consumer.consume(1_000, timeout=0)):
        error = message.error()
        if error is not None and error.fatal():
            raise RetryError(f"the broker cannot be read: {error.str()}")
        if error is None or error.code() == KafkaError._PARTITION_EOF:
            yield message


def _event(message: Message) -> ModelEvent | None:
    try:
        return _decode_event(message.value())
    except UndecodableError:  # it stays in its topic, and decides nothing
        return None
