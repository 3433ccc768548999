"""Reads a topic in a thread of its own, and hands over what comes."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import NamedTuple

from feature_stream.progress import Flow
from feature_stream.settings import WorkerSettings
from feature_stream.tick_client import Records, TickClient
from schemas.topics import FEATURE_STAGE, TICKS, Topic

_LOOK_SECONDS = 0.05
#: Beside the one that the thread has in hand.
_BATCHES_AHEAD = 2


class Batch(NamedTuple):
    """What was read at once.

    Attributes:
        assignment: The number of the assignment that it was read under.
    """

    assignment: int
    records: Records


class TickReader:
    """A client in a thread: it waits, fetches and checks without Python's lock.

    What the loop wants of it are orders, followed between two reads; so it is certain which assignment a batch belongs
    to.
    """

    def __init__(self, settings: WorkerSettings, topic: Topic = TICKS, group: str = FEATURE_STAGE) -> None:
        self._client = TickClient(settings, topic, group)
        self.topic = self._client.topic
        self._loop: asyncio.AbstractEventLoop | None = None
        self._read: asyncio.Queue[Batch | BaseException] = asyncio.Queue()
        self._room = threading.Semaphore(_BATCHES_AHEAD)
        self._orders: SimpleQueue[tuple[Callable[[], None], Future[None]]] = SimpleQueue()
        self._assignment = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{topic.name}-reader", daemon=True)

    def start(self) -> None:
        """Begin, with nothing to read; on the loop that takes the batches."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """End soon; waits for nothing. Orders are taken and not followed any more."""
        self._ended.set()
        self._room.release()

    async def assign(self, positions: Mapping[int, int]) -> None:
        """Read these partitions from now on, each from an offset; whatever was read before is outdated."""

        def assign() -> None:
            self._assignment += 1
            self._client.assign(positions)

        await self._order(assign)

    async def seek(self, partition: int, offset: int) -> None:
        """Read one of the partitions again from an offset; some records from before may still come.

        Nothing is done where the partition went elsewhere meanwhile.
        """
        await self._order(lambda: self._client.seek(partition, offset))

    async def pause(self, partition: int) -> None:
        """Read nothing more of a partition for now; what is on its way still comes."""
        await self._order(lambda: self._client.pause(partition))

    async def resume(self, partition: int) -> None:
        """Go on with it."""
        await self._order(lambda: self._client.resume(partition))

    async def next_batch(self) -> Batch:
        """Wait for the next batch.

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

    def end(self, partition: int) -> int:
        """Give the offset after the last record as the last fetch knew it; 0 before one."""
        return self._client.ends.get(partition, 0)

    def flow(self) -> Flow:
        """Say what comes of all partitions together."""
        return self._client.flow()

    async def _order(self, work: Callable[[], None]) -> None:
        done: Future[None] = Future()
        self._orders.put((work, done))
        if self._ended.is_set():
            self._obey()  # the thread may not look any more
        await asyncio.wrap_future(done)

    def _run(self) -> None:
        try:
            while self._wait_for_room():
                self._hand_over(self._read_some())
        except Exception as error:  # stop: told to whoever waits
            self._hand_over(error)
        finally:
            self._ended.set()
            self._obey()
            self._client.close()

    def _wait_for_room(self) -> bool:
        while not self._room.acquire(timeout=_LOOK_SECONDS):
            self._obey()
        return not self._ended.is_set()

    def _read_some(self) -> Batch:
        """Read until there is something; nothing once it is over."""
        records: Records = {}
        while not records and not self._ended.is_set():
            self._obey()
            records = self._client.read()
        return Batch(self._assignment, records)

    def _obey(self) -> None:
        with suppress(Empty):
            while True:
                work, done = self._orders.get_nowait()
                if done.set_running_or_notify_cancel():  # else nobody waits for it any more
                    self._follow(work, done)

    def _follow(self, work: Callable[[], None], done: "Future[None]") -> None:
        try:
            if not self._ended.is_set():
                work()
        except Exception as error:  # told to whoever ordered it
            done.set_exception(error)
        else:
            done.set_result(None)

    def _hand_over(self, read: Batch | BaseException) -> None:
        if self._loop is not None and not self._ended.is_set():
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._read.put_nowait, read)
