"""Read `source-commands` and `service-status`, without a group."""

import logging
import time
from collections.abc import Iterable, Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from ingestor.sources.live.roster_desk import PlacedCommand
from schemas.codec import UndecodableError, decoder
from schemas.consumers import groupless_config
from schemas.errors import RetryError
from schemas.events import ServiceStatus, SourceCommand
from schemas.settings import Settings
from schemas.times import NS_PER_MILLISECOND
from schemas.topics import SERVICE_STATUS, SOURCE_COMMANDS, Topic

_log = logging.getLogger(__name__)

_READ_WITHIN_SECONDS = 60.0
_READ_AT_ONCE = 500

_decode_command = decoder(SourceCommand)
_decode_status = decoder(ServiceStatus)


class CommandFeed:
    """A consumer of the commands to sources, and of what services say. What cannot be understood stays in its topic."""

    def __init__(self, settings: Settings) -> None:
        self._prefix = settings.topic_prefix
        self._consumer = Consumer(groupless_config(settings, "ingestor-commands", tell_ends=True))

    def statuses(self) -> list[ServiceStatus]:
        """Give what services have said, in order; what they say from now on follows by `later_statuses`."""
        return list(_statuses(self._to_end(SERVICE_STATUS)))

    def later_statuses(self, seconds: float) -> list[ServiceStatus]:
        """Give what they have said since, where there is nothing, after so long."""
        return list(_statuses(self._consumer.consume(_READ_AT_ONCE, timeout=seconds)))

    def commands(self) -> tuple[list[PlacedCommand], int]:
        """Give the commands that are there, and the offset of the next one."""
        commands = list(_placed(self._to_end(SOURCE_COMMANDS)))
        [partition] = self._consumer.position([TopicPartition(self._prefix + SOURCE_COMMANDS.name, 0)])
        return commands, max(0, partition.offset)

    def follow_commands(self, offset: int) -> None:
        """Begin to read the commands from an offset on."""
        self._consumer.assign([TopicPartition(self._prefix + SOURCE_COMMANDS.name, 0, offset)])

    def later_commands(self) -> list[PlacedCommand]:
        """Give those that have come, without waiting."""
        return list(_placed(self._consumer.consume(_READ_AT_ONCE, timeout=0)))

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _to_end(self, topic: Topic) -> Iterator[Message]:
        self._consumer.assign([TopicPartition(self._prefix + topic.name, 0, OFFSET_BEGINNING)])
        deadline = time.monotonic() + _READ_WITHIN_SECONDS
        while time.monotonic() < deadline:
            for message in self._consumer.consume(_READ_AT_ONCE, timeout=0.1):
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    return
                yield message
        raise RetryError(f"the end of {topic.name} was not reached within {_READ_WITHIN_SECONDS:g} s")


def _statuses(messages: Iterable[Message]) -> Iterator[ServiceStatus]:
    for message in _records(messages):
        try:
            yield _decode_status(message.value())
        except UndecodableError:  # a tombstone, or none of ours
            continue


def _placed(messages: Iterable[Message]) -> Iterator[PlacedCommand]:
    for message in _records(messages):
        try:
            command = _decode_command(message.value())
        except UndecodableError as undecodable:
            _log.warning("passed over %s:%s: %s", message.topic(), message.offset(), undecodable)
            continue
        _, at_ms = message.timestamp()
        yield PlacedCommand(message.offset(), at_ms * NS_PER_MILLISECOND, command)


def _records(messages: Iterable[Message]) -> Iterator[Message]:
    """Pass over what is no record, for librdkafka tries again by itself.

    Raises:
        RetryError: The client cannot go on.
    """
    for message in messages:
        error = message.error()
        if error is None:
            yield message
        elif error.fatal():
            raise RetryError(f"the broker cannot be read: {error.str()}")
