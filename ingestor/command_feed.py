"""Read `source-commands`, and this source's last word in `service-status`, without a group."""

import logging
import time
from collections.abc import Iterable, Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from ingestor.settings import IngestorSettings
from ingestor.sources.live.roster_desk import PlacedCommand
from schemas.codec import UndecodableError, decoder
from schemas.consumers import groupless_config
from schemas.errors import RetryError
from schemas.events import ServiceStatus, SourceCommand
from schemas.times import NS_PER_MILLISECOND
from schemas.topics import SERVICE_STATUS, SOURCE_COMMANDS, Topic

_log = logging.getLogger(__name__)

_ASK_SECONDS = 10.0
_READ_WITHIN_SECONDS = 60.0
_READ_AT_ONCE = 500

_decode_command = decoder(SourceCommand)
_decode_status = decoder(ServiceStatus)


class CommandFeed:
    """The consumer of the commands to one source. What cannot be understood is said, and stays in its topic."""

    def __init__(self, settings: IngestorSettings) -> None:
        self._source = settings.name
        self._prefix = settings.topic_prefix
        self._consumer = Consumer(groupless_config(settings, "ingestor-commands", tell_ends=True))

    def last_word(self) -> ServiceStatus | None:
        """Give the newest status that tells of this source."""
        newest: ServiceStatus | None = None
        for message in self._to_end(SERVICE_STATUS):
            try:
                status = _decode_status(message.value())
            except UndecodableError:  # a tombstone, or another's garbage
                continue
            own = any(each.source == self._source for each in status.sources)
            if own and (newest is None or status.updated_at_ns >= newest.updated_at_ns):
                newest = status
        return newest

    def commands(self) -> tuple[list[PlacedCommand], int]:
        """Give the commands that are there, and the offset of the next one."""
        commands = list(self._placed(self._to_end(SOURCE_COMMANDS)))
        [partition] = self._consumer.position([TopicPartition(self._prefix + SOURCE_COMMANDS.name, 0)])
        return commands, max(0, partition.offset)

    def follow(self, offset: int) -> None:
        """Begin to read the commands from an offset on."""
        self._consumer.assign([TopicPartition(self._prefix + SOURCE_COMMANDS.name, 0, offset)])

    def poll(self) -> list[PlacedCommand]:
        """Give what has come, without waiting.

        Raises:
            RetryError: The client cannot go on.
        """
        return list(self._placed(self._consumer.consume(_READ_AT_ONCE, timeout=0)))

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _to_end(self, topic: Topic) -> Iterator[Message]:
        self._consumer.assign([TopicPartition(self._prefix + topic.name, 0, OFFSET_BEGINNING)])
        deadline = time.monotonic() + _READ_WITHIN_SECONDS
        while time.monotonic() < deadline:
            for message in self._consumer.consume(_READ_AT_ONCE, timeout=0.1):
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    return
                else:
                    _require_usable(error)
        raise RetryError(f"the end of {topic.name} was not reached within {_READ_WITHIN_SECONDS:g} s")

    def _placed(self, messages: Iterable[Message]) -> Iterator[PlacedCommand]:
        for message in messages:
            error = message.error()
            if error is not None:
                _require_usable(error)
                continue
            try:
                command = _decode_command(message.value())
            except UndecodableError as undecodable:
                _log.warning("passed over %s:%s: %s", message.topic(), message.offset(), undecodable)
                continue
            if command.source == self._source:
                _, at_ms = message.timestamp()
                yield PlacedCommand(message.offset(), at_ms * NS_PER_MILLISECOND, command)


def _require_usable(error: KafkaError) -> None:
    if error.fatal():
        raise RetryError(f"the broker cannot be read: {error.str()}")
