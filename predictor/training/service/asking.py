"""Ask the trainer that runs for a training, and tell people how it goes."""

import getpass
import time
import uuid
from collections.abc import Callable, Iterator

import msgspec
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from predictor.parameters import Parameters
from predictor.training.service.past import TRAINER
from predictor.training.service.sender import Sender
from predictor.training.settings import TrainingSettings
from schemas.codec import UndecodableError, decoder
from schemas.errors import RetryError
from schemas.events import (
    CommandAction,
    ModelAction,
    ModelCommand,
    ModelEvent,
    RetrainKind,
    ServiceState,
    ServiceStatus,
)
from schemas.times import NS_PER_SECOND
from schemas.topics import MODELS, SERVICE_STATUS

#: A service reports every five seconds.
FRESH_SECONDS = 15.0
SILENT_SECONDS = 60.0
_ANSWER_SECONDS = 3.0
#: Of each partition of `service-status`: minutes of many services.
_RECORDS_READ = 2_000

_decode_status = decoder(ServiceStatus)
_decode_event = decoder(ModelEvent)


def trainer_runs(settings: TrainingSettings) -> bool:
    """Tell whether a trainer has said lately that it runs; where no broker answers, none does."""
    consumer = _consumer(settings)
    try:
        newest = {status.instance: status for status in _statuses(consumer, settings)}
    except KafkaException:
        return False
    finally:
        consumer.close()
    return any(_is_fresh(status) for status in newest.values())


def _is_fresh(status: ServiceStatus) -> bool:
    age_seconds = (time.time_ns() - status.updated_at_ns) / NS_PER_SECOND
    return age_seconds < FRESH_SECONDS and status.state is not ServiceState.STOPPING


def retrain_command(parameters: Parameters | None, now_ns: int) -> ModelCommand:
    """Wish for a training: the same recipe on later data, or these parameters."""
    return ModelCommand(
        id=str(uuid.uuid4()),
        action=CommandAction.RETRAIN,
        kind=RetrainKind.REFRESH if parameters is None else RetrainKind.CHANGE,
        parameters={} if parameters is None else msgspec.to_builtins(parameters),
        requested_by=_who(),
        requested_at_ns=now_ns,
        reason="asked on the command line",
    )


def _who() -> str:
    try:
        return f"cli/{getpass.getuser()}"
    except (KeyError, OSError):  # a container whose user has no name
        return "cli"


def ask(settings: TrainingSettings, command: ModelCommand, say: Callable[[str], None]) -> ModelEvent:
    """Send a command, and follow it until it is answered.

    Raises:
        RetryError: The trainer says nothing any more; the command stays, and is answered when it is back.
    """
    consumer, sender = _consumer(settings), Sender(settings)
    try:
        _follow_from_end(consumer, settings)
        sender.command(command)
        say(f"asked the trainer: command {command.id}")
        return _until_answered(consumer, settings, command, say)
    finally:
        consumer.close()
        sender.close()


def _until_answered(
    consumer: Consumer, settings: TrainingSettings, command: ModelCommand, say: Callable[[str], None]
) -> ModelEvent:
    said, heard_at = "", time.monotonic()
    while time.monotonic() - heard_at < SILENT_SECONDS:
        message = consumer.poll(0.5)
        if message is None or message.error() is not None:
            continue
        if message.topic() == settings.topic_prefix + MODELS.name:
            if (event := _event(message)) is not None and event.command_id == command.id:
                outcome = "rejected" if event.action is ModelAction.REJECTED else event.action.value
                say(f"{outcome} {event.model_set}: {event.reason}")
                return event
        elif (status := _status(message)) is not None:
            heard_at = time.monotonic()
            for each in status.commands:
                line = f"{each.state} {each.progress:.0%} {each.message}".rstrip()
                if each.id == command.id and line != said:
                    said = line
                    say(line)
    raise RetryError(f"the trainer says nothing any more: command {command.id} is answered when it is back")


def _consumer(settings: TrainingSettings) -> Consumer:
    group = {"group.id": f"{settings.consumer_group}-asking-unused", "enable.auto.commit": False, "log_level": 0}
    return Consumer(settings.kafka_config() | group | {"fetch.wait.max.ms": 100})


def _partitions(consumer: Consumer, name: str) -> list[TopicPartition]:
    found = consumer.list_topics(name, timeout=_ANSWER_SECONDS).topics[name]
    return [] if found.error is not None else [TopicPartition(name, number) for number in sorted(found.partitions)]


def _statuses(consumer: Consumer, settings: TrainingSettings) -> Iterator[ServiceStatus]:
    """Give what trainers said of themselves, in the order of each partition."""
    for partition in _partitions(consumer, settings.topic_prefix + SERVICE_STATUS.name):
        first, end = consumer.get_watermark_offsets(partition, timeout=_ANSWER_SECONDS)
        partition.offset = max(first, end - _RECORDS_READ)
        consumer.assign([partition])
        deadline = time.monotonic() + _ANSWER_SECONDS
        while first < end and time.monotonic() < deadline:
            for message in consumer.consume(_RECORDS_READ, timeout=0.1):
                if message.error() is None and (status := _status(message)) is not None:
                    yield status
            first = max([first, *(place.offset for place in consumer.position([partition]))])


def _status(message: Message) -> ServiceStatus | None:
    if not (message.key() or b"").startswith(f"{TRAINER}/".encode()):
        return None
    try:
        return _decode_status(message.value())
    except UndecodableError:
        return None


def _event(message: Message) -> ModelEvent | None:
    try:
        return _decode_event(message.value())
    except UndecodableError:
        return None


def _follow_from_end(consumer: Consumer, settings: TrainingSettings) -> None:
    places = []
    for topic in (MODELS, SERVICE_STATUS):
        for partition in _partitions(consumer, settings.topic_prefix + topic.name):
            _, partition.offset = consumer.get_watermark_offsets(partition, timeout=_ANSWER_SECONDS)
            places.append(partition)
    consumer.assign(places)
