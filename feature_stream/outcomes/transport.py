"""The transport of a worker with several sources: each topic has a reader of its own."""

from collections.abc import Mapping
from typing import Any

from faust.types import TP

from feature_stream.progress import Flow
from feature_stream.tick_reader import TickReader
from feature_stream.transport import GroupConsumer, Transport
from schemas.topics import BARS, OUTCOMES_STAGE, PREDICTIONS

SOURCES = (BARS, PREDICTIONS)


class SourcesConsumer(GroupConsumer):
    """Reads all sources, each from where the table says."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        readers = (TickReader(self.transport.settings, topic, OUTCOMES_STAGE) for topic in SOURCES)
        self._readers = {reader.topic: reader for reader in readers}

    async def on_start(self) -> None:
        """Start the readers too."""
        await super().on_start()
        for reader in self._readers.values():
            reader.start()
            self.add_future(self._drain(reader))

    async def on_stop(self) -> None:
        """Stop them too."""
        for reader in self._readers.values():
            reader.stop()
        await super().on_stop()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every partition of the sources to where its state stands; Faust calls this after each recovery."""
        positions = await self._start_positions()
        for name, reader in self._readers.items():
            await reader.assign({tp.partition: offset for tp, offset in positions.items() if tp.topic == name})
        return positions

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Read nothing more until it is known from where."""
        self._revocations += 1
        for reader in self._readers.values():
            await reader.assign({})
        await super().on_partitions_revoked(revoked)

    async def rewind(self, tp: TP, offset: int) -> None:
        """Read a partition again from an offset."""
        if tp in self.assignment():
            await self._readers[tp.topic].seek(tp.partition, offset)

    async def hold(self, tp: TP, *, held: bool) -> None:
        """Read nothing more of a partition for now, or go on with it."""
        reader = self._readers[tp.topic]
        await (reader.pause(tp.partition) if held else reader.resume(tp.partition))

    def highwater(self, tp: TP) -> int:
        """Give the offset after the last record, as far as fetches have told it."""
        reader = self._readers.get(tp.topic)
        return int(super().highwater(tp) or 0) if reader is None else reader.end(tp.partition)

    def flow(self) -> Flow:
        """Say what comes of all sources together."""
        flows = [reader.flow() for reader in self._readers.values()]
        return Flow(sum(flow.read_bytes for flow in flows), runs_dry=all(flow.runs_dry for flow in flows))

    async def _drain(self, reader: TickReader) -> None:
        while not self.should_stop:
            batch = await reader.next_batch()
            for partition, records in batch.records.items():
                await self._hand_on_from(reader, batch, partition, records)


class SourcesTransport(Transport):
    """The transport with that consumer."""

    Consumer = SourcesConsumer
