"""Kafka into the views: all partitions from the beginning, without a group, through every outage."""

import asyncio
import contextlib
import logging
import time
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from gateway.epochs import EpochReader, ReadEpochs
from gateway.intake import READS, Intake
from gateway.kafka_config import consumer_config
from gateway.parts import Parts
from gateway.streams import Stream
from schemas.close_codes import CloseCode
from schemas.errors import TickcastError
from schemas.events import ServiceState
from schemas.log_events import LogEvent, about
from schemas.topics import BARS, FORECASTS, MODEL_COMMANDS, PREDICTIONS_LATEST, SCORES, SOURCE_COMMANDS

POLL_MS = 250
#: Records taken at a stretch; between two stretches the clients have their turn.
STRETCH = 200
RETRY_SECONDS = 1.0
#: A partition that was not heard of for so long cannot be reached.
UNREACHABLE_AFTER_SECONDS = 5.0
#: Bars, scoreboards and commands read of each partition at the start: enough for the last of each ticker, for clients
#: that come back, and for the jobs that are remembered.
OLD_RECORDS_AT_START = 2_000
_ONLY_THE_NEWEST = {BARS.name, SCORES.name, MODEL_COMMANDS.name, SOURCE_COMMANDS.name}
#: Answers to what this process asks.
_ONLY_NEW = {FORECASTS.name}
EPOCH_CHECK_SECONDS = 5.0

_OUTAGE = "Kafka is not answering: serving the last known predictions"

_log = logging.getLogger(__name__)


class AnotherLogError(TickcastError):
    """The topic is not the one that was read, or ends before what was read of it: start again, with an empty view."""


class Feed:
    """Follows the topics in `READS`; where the broker goes away, the views stay and the feed tries again."""

    def __init__(self, parts: Parts, intake: Intake, epochs: ReadEpochs | None = None) -> None:
        """Follow with views and intake; without `epochs`, the broker is asked for them."""
        self._settings = parts.settings
        self._latest = parts.latest
        self._board = parts.board
        self._condition = parts.condition
        self._team = parts.team
        self._instruments = parts.instruments
        self._intake = intake
        self._names = {parts.settings.topic_prefix + topic.name: topic.name for topic in READS}
        self._next_offsets: dict[TopicPartition, int] = {}
        self._read_epochs = epochs or EpochReader(parts.settings)
        self._hub = parts.hub
        self._streams: dict[str, Stream[Any]] = {
            parts.settings.topic_prefix + PREDICTIONS_LATEST.name: parts.predictions,
            parts.settings.topic_prefix + BARS.name: parts.bars,
        }

    async def run(self) -> None:
        """Follow the topics until cancelled.

        Raises:
            AnotherLogError: The views hold what the broker no longer knows.
        """
        self._board.set_state(ServiceState.CATCHING_UP)
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError) as error:  # retry
                _log.warning("cannot read from Kafka, trying again: %s", error or type(error).__name__)
                self._say(reachable=False)
            except AnotherLogError:  # stop; clients must know that what they have means nothing now
                self._hub.close(CloseCode.LOG_REPLACED)
                raise
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(**consumer_config(self._settings))
        watching: asyncio.Task[None] | None = None
        try:
            await consumer.start()
            await self._check_epochs()
            ends = await self._assign(consumer)
            started_ms = time.time() * 1_000
            watching = asyncio.create_task(self._watch_epochs())
            while True:
                if watching.done():
                    watching.result()
                await self._poll(consumer)
                if not self._latest.caught_up and await _has_reached(consumer, ends):
                    self._latest.caught_up = True
                    self._condition.caught_up_at_ns = time.time_ns()
                    self._team.note_ready()
                    _log.info("caught up, tickers: %d", len(self._latest))
                self._note(consumer, started_ms)
        finally:
            if watching is not None:
                watching.cancel()
            await consumer.stop()

    async def _watch_epochs(self) -> None:
        """End where a topic was made anew; a new one may be longer than what was read of the old one."""
        while True:
            await asyncio.sleep(EPOCH_CHECK_SECONDS)
            with contextlib.suppress(KafkaError):  # an outage is the poll's to notice
                await self._check_epochs()

    async def _check_epochs(self) -> None:
        for name, epoch in (await self._read_epochs(list(self._streams))).items():
            stream = self._streams[name]
            if stream.epoch and stream.epoch != epoch:
                raise AnotherLogError(f"{name} was made anew: it is another log")
            stream.epoch = epoch

    async def _assign(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """Assign all partitions from where the views end; give the ends as they are now."""
        await consumer.end_offsets([TopicPartition(name, 0) for name in self._names])  # makes the topics known
        partitions = [
            TopicPartition(name, number) for name in self._names for number in consumer.partitions_for_topic(name) or ()
        ]
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        await self._pass_over_old_records(consumer, ends)
        for partition, next_offset in self._next_offsets.items():
            if ends.get(partition, 0) < next_offset:
                raise AnotherLogError(
                    f"{partition.topic}[{partition.partition}] ends at {ends.get(partition, 0)}, "
                    f"but was read up to {next_offset}: it is another log"
                )
            consumer.seek(partition, next_offset)
        return ends

    async def _pass_over_old_records(self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> None:
        partitions = [partition for partition in ends if self._names[partition.topic] in _ONLY_THE_NEWEST]
        for partition, beginning in (await consumer.beginning_offsets(partitions)).items():
            consumer.seek(partition, max(beginning, ends[partition] - OLD_RECORDS_AT_START))
        for partition, end in ends.items():
            if self._names[partition.topic] in _ONLY_NEW:
                consumer.seek(partition, end)

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=STRETCH)
        for partition, records in batches.items():
            self._take(partition, records)
        await asyncio.sleep(0)

    def _take(self, partition: TopicPartition, records: list[ConsumerRecord]) -> None:
        topic = self._names[partition.topic]
        for record in records:
            if record.offset < self._next_offsets.get(partition, 0):
                raise AnotherLogError(f"{partition.topic}[{partition.partition}] went back to {record.offset}")
            self._intake.take(topic, record)
            self._next_offsets[partition] = record.offset + 1

    def _note(self, consumer: AIOKafkaConsumer, started_ms: float) -> None:
        heard_ms = [consumer.last_poll_timestamp(partition) or started_ms for partition in consumer.assignment()]
        self._condition.heard_at_ns = int(min(heard_ms) * 1_000_000)
        self._say(reachable=time.time() * 1_000 - min(heard_ms) < UNREACHABLE_AFTER_SECONDS * 1_000)
        for name, topic in self._names.items():
            self._instruments.lag_records.labels(topic).set(self._lag(consumer, name))

    def _lag(self, consumer: AIOKafkaConsumer, name: str) -> int:
        mine = [partition for partition in consumer.assignment() if partition.topic == name]
        ends = {partition: consumer.highwater(partition) or 0 for partition in mine}
        # Where nothing was read yet, retention or compaction may have left nothing to read: that is not lag.
        return sum(max(0, end - self._next_offsets.get(partition, end)) for partition, end in ends.items())

    def _say(self, *, reachable: bool) -> None:
        before = self._board.state
        if self._board.state is ServiceState.STOPPING:
            return
        if not self._latest.caught_up:
            self._board.set_state(ServiceState.CATCHING_UP, "" if reachable else _OUTAGE)
        else:
            self._board.set_state(*((ServiceState.READY, "") if reachable else (ServiceState.DEGRADED, _OUTAGE)))
        if before is ServiceState.DEGRADED and reachable:
            _log.info("Kafka is answering again", extra=about(LogEvent.FALLBACK, of="kafka", began=False))
        elif before is ServiceState.READY and not reachable:
            _log.warning(_OUTAGE, extra=about(LogEvent.FALLBACK, of="kafka", began=True))


async def _has_reached(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    try:
        async with asyncio.timeout(1.0):
            return all([await consumer.position(partition) >= end for partition, end in ends.items()])
    except TimeoutError:  # some position is not known yet; asked again after the next poll
        return False
