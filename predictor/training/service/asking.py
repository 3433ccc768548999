"""Ask the trainer that runs for a training, and tell people how it goes."""

import getpass
import time
import uuid
from collections.abc import Callable

import msgspec
from confluent_kafka import Consumer, Message

from predictor.training.parameter_file import ParameterFile, search_evidence
from predictor.training.service.presence import ANSWER_SECONDS, listener, partitions_of, trainer_status
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
)
from schemas.topics import MODELS, SERVICE_STATUS

#: A service that said nothing for so long has ended.
SILENT_SECONDS = 60.0

_decode_event = decoder(ModelEvent)


def retrain_command(found: ParameterFile | None, now_ns: int) -> ModelCommand:
    """Wish for a training: the same recipe on later data, or the parameters of a file."""
    return ModelCommand(
        id=str(uuid.uuid4()),
        action=CommandAction.RETRAIN,
        kind=RetrainKind.REFRESH if found is None else RetrainKind.CHANGE,
        parameters={} if found is None else msgspec.to_builtins(found.parameters),
        requested_by=_who(),
        requested_at_ns=now_ns,
        reason="asked on the command line",
        evidence={} if found is None else search_evidence(found),
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
    consumer, sender = listener(settings), Sender(settings)
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
        elif (status := trainer_status(message)) is not None:
            heard_at = time.monotonic()
            for each in status.commands:
                line = f"{each.state} {each.progress:.0%} {each.message}".rstrip()
                if each.id == command.id and line != said:
                    said = line
                    say(line)
    raise RetryError(f"the trainer says nothing any more: command {command.id} is answered when it is back")


def _event(message: Message) -> ModelEvent | None:
    try:
        return _decode_event(message.value())
    except UndecodableError:
        return None


def _follow_from_end(consumer: Consumer, settings: TrainingSettings) -> None:
    places = []
    for topic in (MODELS, SERVICE_STATUS):
        for partition in partitions_of(consumer, settings.topic_prefix + topic.name):
            _, partition.offset = consumer.get_watermark_offsets(partition, timeout=ANSWER_SECONDS)
            places.append(partition)
    consumer.assign(places)
