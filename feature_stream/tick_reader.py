"""Reads `ticks` with librdkafka, in a thread that needs no Python to wait, to fetch and to check."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaException, Message, TopicPartition

from feature_stream.settings import FeatureStreamSettings
from schemas.codec import Headers
from schemas.logs import client_logger
from schemas.topics import FEATURE_STAGE, TICKS

#: How long an order waits at most; a record that comes ends the wait at once.
_POLL_SECONDS = 0.05
#: Of all partitions together; the stage takes them in slices.
_BATCH_RECORDS = 256
#: One that is worked on, and one that waits for it.
_BATCHES_AT_HAND = 2
#: Fetched and not yet taken; below it the next fetch is tried so often.
_QUEUE_KIBIBYTES, _FETCH_AGAIN_MS = 16_384, 5


class TickRecord(NamedTuple):
    """A record of `ticks`, in aiokafka's names.

    Attributes:
        timestamp: Kafka's own time in ms; None: it has none.
    """

    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers


class Batch(NamedTuple):
    """Records by partition, each in the order of its log.

    Attributes:
        assignment: The number of the assignment that it was read under.
    """

    assignment: int
    records: dict[int, deque[TickRecord]]


class TickReader:
    """Reads the partitions that it is told to, from where it is told to; knows of no group, and commits nothing.

    The client is called by the thread alone: it lets one call in at a time, and another would wait as long as it does.

    Attributes:
        topic: `ticks` with its prefix.
    """

    def __init__(self, settings: FeatureStreamSettings) -> None:
        self.topic = settings.topic_prefix + TICKS.name
        self._consumer = Consumer(
            settings.kafka_config()
            | {
                "group.id": settings.topic_prefix + FEATURE_STAGE,  # librdkafka wants one; the right to it is ours
                "client.id": f"feature_stream/{settings.instance}",
                "logger": client_logger(),
                "auto.offset.reset": "earliest",  # what lies before is gone, and the stage sees that
                "enable.auto.commit": False,
                "check.crcs": True,
                "fetch.wait.max.ms": settings.fetch_wait_ms,
                "fetch.queue.backoff.ms": _FETCH_AGAIN_MS,
                "queued.max.messages.kbytes": _QUEUE_KIBIBYTES,
            }
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._read: asyncio.Queue[Batch | BaseException] = asyncio.Queue()
        self._room = threading.Semaphore(_BATCHES_AT_HAND)
        self._orders: SimpleQueue[tuple[Callable[[], None], Future[None]]] = SimpleQueue()
        self._assignment = 0
        self._assigned: frozenset[int] = frozenset()
        self._ends: dict[int, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tick-reader", daemon=True)

    def start(self) -> None:
        """Begin, with nothing to read; on the loop that takes the batches."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """End soon; waits for nothing."""
        self._ended.set()
        self._room.release()

    async def assign(self, positions: Mapping[int, int]) -> None:
        """Read these partitions from now on, each from an offset; whatever was read before is outdated."""

        def assign() -> None:
            self._assignment += 1
            self._assigned = frozenset(positions)
            self._consumer.assign([TopicPartition(self.topic, *position) for position in positions.items()])

        await self._order(assign)

    async def seek(self, partition: int, offset: int) -> None:
        """Read one of the partitions again from an offset; some records from before may still come.

        Nothing is done where the partition went elsewhere meanwhile.
        """

        def seek() -> None:
            if partition not in self._assigned:
                return
            self._consumer.incremental_unassign([TopicPartition(self.topic, partition)])
            self._consumer.incremental_assign([TopicPartition(self.topic, partition, offset)])

        await self._order(seek)

    def end(self, partition: int) -> int:
        """Give the offset after the last record as the last fetch knew it; 0 before one."""
        return self._ends.get(partition, 0)

    async def next_batch(self) -> Batch:
        """Wait for the next batch; the one before is done with.

        Raises:
            KafkaException: The client cannot go on.
        """
        read = await self._read.get()
        self._room.release()
        if isinstance(read, BaseException):
            raise read
        return read

    def is_outdated(self, batch: Batch) -> bool:
        """Tell whether partitions were assigned anew since a batch was read."""
        return batch.assignment != self._assignment

    async def _order(self, work: Callable[[], None]) -> None:
        """Have something done between two reads: so it is certain which assignment a batch belongs to."""
        if self._ended.is_set():
            return
        done: Future[None] = Future()
        self._orders.put((work, done))
        await asyncio.wrap_future(done)

    def _run(self) -> None:
        try:
            while self._wait_for_room():
                messages = self._next_messages()
                if messages:
                    batch = Batch(self._assignment, _by_partition(messages))
                    self._note_ends(batch.records)
                    self._hand_over(batch)
        except Exception as error:  # stop: told to whoever waits
            self._hand_over(error)
        finally:
            self._consumer.close()

    def _wait_for_room(self) -> bool:
        while not self._room.acquire(timeout=_POLL_SECONDS):
            self._obey()
        return not self._ended.is_set()

    def _next_messages(self) -> list[Message]:
        """Wait for a record, and take what is there with it; nothing once it is over."""
        while not self._ended.is_set():
            self._obey()
            first = self._consumer.poll(_POLL_SECONDS)
            if first is not None:
                messages = [first, *self._consumer.consume(_BATCH_RECORDS - 1, 0)]
                sound = [message for message in messages if _is_sound(message)]
                if sound:
                    return sound
        return []

    def _note_ends(self, partitions: Iterable[int]) -> None:
        for partition in partitions:
            place = TopicPartition(self.topic, partition)
            _, self._ends[partition] = self._consumer.get_watermark_offsets(place, cached=True)

    def _obey(self) -> None:
        while True:
            try:
                work, done = self._orders.get_nowait()
            except Empty:
                return
            try:
                work()
            except Exception as error:  # told to whoever ordered it
                done.set_exception(error)
            else:
                done.set_result(None)

    def _hand_over(self, read: Batch | BaseException) -> None:
        if self._loop is not None and not self._ended.is_set():
            self._loop.call_soon_threadsafe(self._read.put_nowait, read)


def _is_sound(message: Message) -> bool:
    """Tell whether this is a record; else it is the client's word that something is wrong.

    Raises:
        KafkaException: It is nothing that passes.
    """
    error = message.error()
    if error is None:
        return True
    if error.fatal():
        raise KafkaException(error)
    client_logger().warning("reading %s: %s", TICKS.name, error.str())
    return False


def _by_partition(messages: list[Message]) -> dict[int, deque[TickRecord]]:
    records: dict[int, deque[TickRecord]] = {}
    for message in messages:
        partition: Any = message.partition()
        record = TickRecord(
            partition,
            message.offset(),
            _timestamp_ms(message),
            message.key(),
            message.value(),
            message.headers() or [],
        )
        records.setdefault(partition, deque()).append(record)
    return records


def _timestamp_ms(message: Message) -> int | None:
    kind, milliseconds = message.timestamp()
    return None if kind == TIMESTAMP_NOT_AVAILABLE else milliseconds
