"""Faust's aiokafka transport, made to lose nothing: positions come from the table, gaps are healed by the worker.

The group and the changelog are aiokafka's; `ticks`, or another source, is read by a `TickReader`. What differs from
Faust's own, and why, is in `docs/adr/0002-*.md` and `docs/adr/0007-*.md`.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from feature_stream.membership import Membership
from feature_stream.progress import Flow
from feature_stream.settings import WorkerSettings
from feature_stream.tick_client import TickRecord
from feature_stream.tick_reader import Batch, TickReader

_log = logging.getLogger("faust.transport")
_YIELD_EVERY_RECORDS = 100
#: So long a fetch of the changelog waits for a record, and so long a recovery waits for one before it; a second where
#: the worker had no partition.
_FETCH_SECONDS = 0.1

#: Gives the offset at which to start each assigned partition of a source.
StartPositions = Callable[[set[TP]], Awaitable[Mapping[TP, int]]]


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The thread of the group's consumer; it tells the membership of every heartbeat."""

    logger = _log

    def _create_worker_consumer(self, transport: "Transport") -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = transport.settings.fetch_wait_ms
        return consumer

    async def on_start(self) -> None:
        """Start, and listen to the heartbeats."""
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator
        membership = self.transport.membership
        send_heartbeat = coordinator._do_heartbeat

        async def tell_heartbeat() -> bool:
            sent_at = time.monotonic()
            taken: bool = await send_heartbeat()
            if taken:
                membership.beat(sent_at, coordinator.generation)
            return taken

        coordinator._do_heartbeat = tell_heartbeat

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit for lag monitors; nothing is resumed from it, so a failure is only said."""
        try:
            next_offsets = {driver.ensure_aiokafka_TP(tp): offset for tp, offset in offsets.items()}
            await self._ensure_consumer().commit(next_offsets)
        except (KafkaError, IllegalStateError) as error:
            _log.warning("offsets were not committed: %r", error)
            return False
        return True


class RebalanceListener(driver.ConsumerRebalanceListener):  # type: ignore[misc]
    """An assignment is the first heartbeat of its generation, and aiokafka fetches only the changelog of it."""

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Note the generation before anything is done under it."""
        consumer = self._thread._ensure_consumer()
        self._thread.transport.membership.beat(time.monotonic(), consumer._coordinator.generation)
        consumer.pause(*(tp for tp in assigned if not self._thread.consumer._is_changelog_tp(tp)))
        await super().on_partitions_assigned(assigned)


class GroupConsumer(driver.Consumer):  # type: ignore[misc]
    """A consumer that commits only what its worker has checkpointed; of its own it reads the changelog alone."""

    RebalanceListener = RebalanceListener
    logger = _log

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._revocations = 0
        self._fetching = asyncio.Lock()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Say it before the state is read: Faust's own signal comes after, and all may be read by then."""
        self.transport.assigned()
        await super().on_partitions_assigned(assigned, generation_id)

    async def _start_positions(self) -> Mapping[TP, int]:
        """Ask where to read each partition of a source from.

        Raises:
            IllegalStateError: They were revoked meanwhile; as aiokafka says it, Faust begins again.
        """
        sources = {tp for tp in self.assignment() if not self._is_changelog_tp(tp)}
        revocations = self._revocations
        positions: Mapping[TP, int] = await self.transport.start_positions(sources)
        if self._revocations != revocations:
            raise IllegalStateError("partitions were revoked meanwhile")
        return positions

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Seek the changelog while no fetch is under way.

        One from before the rebalance would take the first records that come of the new place, and they are dropped as
        long as the flow has not begun again: a recovery would then wait for them for ever.
        """
        async with self._fetching:
            await super().seek_wait(partitions)

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> None:
        """Commit next offsets for lag monitors; nothing is resumed from them."""
        await self._thread.commit(offsets)

    async def commit(self, *_: Any, **__: Any) -> bool:
        """Commit nothing: acknowledged is not checkpointed. The worker calls `commit_offsets`."""
        return False

    def on_buffer_full(self, tp: TP) -> None:
        """Pause nothing: a full stream makes those who hand on wait for it; Faust's pause would sleep a second."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Acknowledge no gap: the worker sees it and rewinds."""

    async def verify_all_partitions_active(self) -> None:
        """Leave this to the worker's watchdog; Faust's would miss its own commits."""

    async def _drain_messages(self, fetcher: Any) -> None:
        """Hand on what is fetched of the changelog, record by record, as Faust's recovery wants it."""
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                await self._wait_for_flow()
                records = await self._fetch()
                generation = self.app.consumer_generation_id
                for tp, fetched in records.items():
                    await self._hand_on_each(tp, fetched, generation)
                await asyncio.sleep(0)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise

    async def _wait_for_flow(self) -> None:
        while not self.flow_active:
            await self.can_resume_flow.wait()

    async def _fetch(self) -> Mapping[TP, Sequence[Any]]:
        """Fetch once; nothing where the flow ended while a seek was waited for."""
        async with self._fetching:
            records, _ = await self._wait_next_records(_FETCH_SECONDS) if self.flow_active else (None, None)
        return records or {}

    async def _hand_on_each(self, tp: TP, records: Sequence[Any], generation: int) -> None:
        for number, record in enumerate(records):
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            await self.callback(self._to_message(tp, record))
            if number % _YIELD_EVERY_RECORDS == 0:
                await asyncio.sleep(0)

    async def _hand_on_from(self, reader: TickReader, batch: Batch, partition: int, records: deque[TickRecord]) -> None:
        """Make one message of the records of a partition; its value is all of them.

        Each message takes Faust longer, through conductor, channel and stream, than the stage a frame. What a rebalance
        has made outdated is dropped, and read by the new owner.
        """
        await self._wait_for_flow()
        if not reader.is_outdated(batch):
            await self.callback(self._message(TP(reader.topic, partition), records))

    def _message(self, tp: TP, records: deque[TickRecord]) -> ConsumerMessage:
        nothing = dict.fromkeys(("timestamp", "timestamp_type", "headers", "key", "checksum"))
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            records[0].offset,
            value=records,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
            **nothing,
        )


class Consumer(GroupConsumer):
    """The stage's, with the one reader of `ticks`."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._reader = TickReader(self.transport.settings)

    async def on_start(self) -> None:
        """Start the reader of `ticks` too."""
        await super().on_start()
        self._reader.start()
        self.add_future(self._drain_ticks())

    async def on_stop(self) -> None:
        """Stop it too."""
        self._reader.stop()
        await super().on_stop()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every partition of the source to where its state stands; Faust calls this after each recovery."""
        positions = await self._start_positions()
        await self._reader.assign({tp.partition: offset for tp, offset in positions.items()})
        return positions

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Read nothing more of `ticks` until it is known from where."""
        self._revocations += 1
        await self._reader.assign({})
        await super().on_partitions_revoked(revoked)

    async def rewind(self, tp: TP, offset: int) -> None:
        """Read a partition again from an offset."""
        if tp in self.assignment():
            await self._reader.seek(tp.partition, offset)

    def highwater(self, tp: TP) -> int:
        """Give the offset after the last record, as far as fetches have told it."""
        return super().highwater(tp) if self._is_changelog_tp(tp) else self._reader.end(tp.partition)

    def flow(self) -> Flow:
        """Say what comes of all partitions of `ticks` together."""
        return self._reader.flow()

    async def _drain_ticks(self) -> None:
        """Hand on what is read of `ticks`."""
        while not self.should_stop:
            batch = await self._reader.next_batch()
            for partition, records in batch.records.items():
                await self._hand_on_together(batch, partition, records)

    async def _hand_on_together(self, batch: Batch, partition: int, records: deque[TickRecord]) -> None:
        await self._hand_on_from(self._reader, batch, partition, records)


class Transport(driver.Transport):  # type: ignore[misc]
    """The transport; the app sets what it needs to know before it starts."""

    Consumer: type[GroupConsumer] = Consumer

    membership: Membership
    settings: WorkerSettings
    start_positions: StartPositions
    assigned: Callable[[], None]
