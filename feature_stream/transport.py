"""Faust's aiokafka transport, made to lose nothing: positions come from the table, gaps are healed by the stage.

What differs from Faust's own, and why, is in `docs/adr/0002-*.md` and `docs/adr/0007-*.md`.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.protocol.fetch import FetchRequest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from feature_stream.intact import CHECKS_IN_HARDWARE, require_intact
from feature_stream.membership import Membership
from feature_stream.portions import portions

_log = logging.getLogger("faust.transport")
_YIELD_EVERY_RECORDS = 100

#: Sends a request to a node of the cluster and gives the response.
Send = Callable[..., Awaitable[Any]]
#: Gives the offset at which to start each assigned partition of `ticks`.
StartPositions = Callable[[set[TP]], Awaitable[Mapping[TP, int]]]


def with_intact_fetches(send: Send) -> Send:
    """Wrap a client's `send`: a fetch that is not what was written fails as if the wire had, and is tried again."""

    async def send_and_check(*arguments: Any, **keywords: Any) -> Any:
        response = await send(*arguments, **keywords)
        if response is not None and response.API_KEY == FetchRequest.API_KEY:
            for _, partitions in response.topics:
                for *_, batches in partitions:
                    require_intact(batches or b"")
        return response

    return send_and_check


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The thread of the group's consumer; it tells the membership of every heartbeat."""

    logger = _log

    def _create_worker_consumer(self, transport: "Transport") -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = transport.fetch_wait_ms
        return consumer

    async def on_start(self) -> None:
        """Start, listen to the heartbeats, and check what is fetched."""
        await super().on_start()
        if CHECKS_IN_HARDWARE:
            client = self._ensure_consumer()._client
            client.send = with_intact_fetches(client.send)
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
    """An assignment is the first heartbeat of its generation."""

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Note the generation before anything is done under it."""
        coordinator = self._thread._ensure_consumer()._coordinator
        self._thread.transport.membership.beat(time.monotonic(), coordinator.generation)
        await super().on_partitions_assigned(assigned)


class Consumer(driver.Consumer):  # type: ignore[misc]
    """A consumer that commits only what the stage has checkpointed."""

    RebalanceListener = RebalanceListener
    logger = _log

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every partition of the source to where its state stands; Faust calls this after each recovery."""
        sources = {tp for tp in self.assignment() if not self._is_changelog_tp(tp)}
        positions: Mapping[TP, int] = await self.transport.start_positions(sources)
        if positions:
            await self._thread.seek_wait(positions)
        return positions

    async def rewind(self, tp: TP, offset: int) -> None:
        """Read a partition again from an offset."""
        if tp in self.assignment():
            await self._thread.seek_wait({tp: offset})

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> None:
        """Commit next offsets for lag monitors; nothing is resumed from them."""
        await self._thread.commit(offsets)

    async def commit(self, *_: Any, **__: Any) -> bool:
        """Commit nothing: acknowledged is not checkpointed. The stage calls `commit_offsets`."""
        return False

    def on_buffer_full(self, tp: TP) -> None:
        """Pause nothing: a full stream makes `_drain_messages` wait for it; Faust's pause would sleep a second."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Acknowledge no gap: the stage sees it and rewinds."""

    async def verify_all_partitions_active(self) -> None:
        """Leave this to the stage's watchdog; Faust's would miss its own commits."""

    async def _drain_messages(self, fetcher: Any) -> None:
        """Hand on what is fetched; what a rebalance makes stale is dropped, and the stage rewinds.

        What the changelog brings goes on record by record, as Faust's recovery wants it.
        """
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                records, _ = await self._wait_next_records(1.0)
                generation = self.app.consumer_generation_id
                for tp, portion in portions(records or {}):
                    if not self.flow_active or self.app.consumer_generation_id != generation:
                        break
                    if self._is_changelog_tp(tp):
                        await self._hand_on_each(tp, portion, generation)
                    else:
                        await self._hand_on_together(tp, portion)
                await asyncio.sleep(0)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise

    async def _hand_on_each(self, tp: TP, records: Sequence[Any], generation: int) -> None:
        for number, record in enumerate(records):
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            await self.callback(self._to_message(tp, record))
            if number % _YIELD_EVERY_RECORDS == 0:
                await asyncio.sleep(0)

    async def _hand_on_together(self, tp: TP, records: Sequence[Any]) -> None:
        """Make one message of some records of a partition; its value is a deque of them.

        Each message takes Faust longer, through conductor, channel and stream, than the stage a frame.
        """
        message = self._to_message(tp, records[0])
        message.value = deque(records)
        await self.callback(message)


class Transport(driver.Transport):  # type: ignore[misc]
    """The transport; the app sets what it needs to know before it starts."""

    Consumer = Consumer

    membership: Membership
    start_positions: StartPositions
    fetch_wait_ms: int = 50
