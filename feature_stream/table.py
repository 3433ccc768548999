"""The Faust table that holds the stage's checkpoints."""

import logging
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import faust
import faust.streams
from faust.types import TP

from feature_stream.outputs import Outputs
from schemas.errors import RetryError
from schemas.topics import TICKER_STATES_CHANGELOG, TICKER_STATES_TABLE, Topic

_OFFSET_BYTES = 8
_PARTITION_KEY_START = b"@"


def partition_key(partition: int) -> bytes:
    """Name a partition's own record; no ticker begins with `@`."""
    return _PARTITION_KEY_START + str(partition).encode()


def is_partition_key(key: bytes) -> bool:
    """Tell a partition's record from a ticker's."""
    return key.startswith(_PARTITION_KEY_START)


def with_offset(offset: int, snapshot: bytes) -> bytes:
    """Write a snapshot with the offset that it stands at: in `ticks`, or of several topics together."""
    return offset.to_bytes(_OFFSET_BYTES, "big", signed=True) + snapshot


def offset_of(value: bytes) -> int:
    """Read the offset that a stored value stands at."""
    return int.from_bytes(value[:_OFFSET_BYTES], "big", signed=True)


def snapshot_of(value: bytes) -> bytes:
    """Read the snapshot of a stored value."""
    return value[_OFFSET_BYTES:]


class ForeignWriteError(RetryError):
    """Another process wrote into our changelog: an old state may be the last of its key, begin again before it is."""


class StateTable(faust.Table):  # type: ignore[misc]
    """A table whose changelog sends are acknowledged, and in which the highest offset wins.

    A worker that lost its place may still have an old state on its way to the broker when another one
    writes a newer. So a recovery keeps, of two values of a key, the one that stands at the higher offset.
    """

    logger = logging.getLogger("faust.tables")
    outputs: Outputs
    #: Where its values go, in the table of topics.
    changelog: Topic
    #: Told of an error in a recovery, which Faust would log and then wait for ever.
    recovery_failed: Callable[[BaseException], None]
    #: Keys whose last record in the changelog is an old state: compaction would keep that one, so write them again.
    outlived: set[bytes]
    #: Of each changelog partition, the offset that our next record gets if nobody else writes.
    next_offsets: dict[TP, int]
    #: Why we are not the only writer, once that is known.
    foreign: str | None

    def save(self, event: Any, key: bytes, value: bytes) -> None:
        """Set a key, and send it to the changelog as part of the outputs' epoch.

        Args:
            event: Any event of the key's partition; RocksDB finds its file by it.
            key: As in `partition_key`, or a ticker's bytes.
            value: As made by `with_offset`.
        """
        token = faust.streams._current_event.set(weakref.ref(event))
        try:
            self.data[key] = value
        finally:
            faust.streams._current_event.reset(token)
        self.outlived.discard(key)
        changelog = TP(self.changelog_topic_name, event.message.partition)
        self.outputs.send(
            self.changelog,
            key,
            value,
            partition=changelog.partition,
            on_stored=lambda offset: self._stored(changelog, offset),
        )

    def expect_from(self, highwaters: Mapping[TP, int]) -> None:
        """Begin to count: a recovery has read each changelog partition through the given offset."""
        self.next_offsets = {tp: offset + 1 for tp, offset in highwaters.items()}

    def require_alone(self) -> None:
        """Check that all that came into the changelog since the recovery is ours, as far as it is acknowledged.

        Raises:
            ForeignWriteError: It is not. A recovery finds what the other one wrote, and writes what is newer again.
        """
        if self.foreign is not None:
            raise ForeignWriteError(self.foreign)

    def _stored(self, changelog: TP, offset: int) -> None:
        """Count a record that the broker has; RocksDB's next recovery begins after it, if nothing else is between."""
        expected = self.next_offsets.get(changelog, offset)
        if offset < 0:  # sent twice, and the broker no longer knows where the first one is
            self.next_offsets[changelog] = expected + 1
            return
        self.next_offsets[changelog] = offset + 1
        if offset != expected and self.foreign is None:
            self.foreign = f"{changelog.topic}-{changelog.partition}: our record is at {offset}, not at {expected}"
        if self.foreign is None:
            self.data.set_persisted_offset(changelog, offset)

    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """Apply what recovery has read, but never an older state over a newer one."""
        try:
            super().apply_changelog_batch(list(self._newest(batch)))
        except Exception as error:  # stop: the state is not whole
            self.logger.exception("the state could not be read back")
            self.recovery_failed(error)
            raise

    def _newest(self, batch: Iterable[Any]) -> Iterator[Any]:
        highest: dict[bytes, int] = {}
        for event in batch:
            value = event.message.value
            if value is None:
                continue
            if event.key not in highest:
                kept = self.data.get(event.key)
                highest[event.key] = -1 if kept is None else offset_of(kept)
            if offset_of(value) >= highest[event.key]:
                highest[event.key] = offset_of(value)
                self.outlived.discard(event.key)
                yield event
            else:
                self.outlived.add(event.key)


def state_table(
    app: faust.App,
    outputs: Outputs,
    partitions: int,
    recovery_failed: Callable[[BaseException], None],
    *,
    name: str = TICKER_STATES_TABLE,
    changelog: Topic = TICKER_STATES_CHANGELOG,
) -> StateTable:
    """Declare the table on an app; what ends its recovery is told to `recovery_failed`."""
    table = StateTable(
        app,
        name=name,
        key_type=bytes,
        value_type=bytes,
        partitions=partitions,
        recovery_buffer_size=1_000,
    )
    table.outputs = outputs
    table.changelog = changelog
    table.recovery_failed = recovery_failed
    table.outlived = set()
    table.next_offsets = {}
    table.foreign = None
    app.tables.add(table)
    return table
