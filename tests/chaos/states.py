"""What the changelog of the stage's table says, in a form that can be compared."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from confluent_kafka import Message

from feature_stream.state import PartitionState, TickerState
from feature_stream.table import is_partition_key, offset_of, snapshot_of

#: Of a ticker's state and its open bars, what depends on how the ingestor cut the log into frames and on when.
_PLACES = {"offset", "ingested_at_ns"}


def partition_content(state: PartitionState) -> bytes:
    """Write what the log alone decides of a partition's record; which states are kept, checkpoints decide."""
    return msgspec.json.encode([state.partition, state.offset, state.sources, state.rules])


def content_at(key: bytes, value: bytes) -> bytes:
    """Write what the log up to the value's offset decides of it, to the bit."""
    if is_partition_key(key):
        return partition_content(PartitionState.restore(snapshot_of(value)))
    return TickerState.restore(snapshot_of(value)).snapshot()


def content_without_places(state: TickerState) -> Any:
    """Give what two logs of the same ticks, cut into other frames, must agree on."""
    return _without_places(state)


def _without_places(struct: Any) -> Any:
    if isinstance(struct, list):
        return [_without_places(each) for each in struct]
    if not isinstance(struct, msgspec.Struct):
        return msgspec.to_builtins(struct)
    names = [name for name in struct.__struct_fields__ if name not in _PLACES and name != "view"]
    return {name: _without_places(getattr(struct, name)) for name in names}


@dataclass
class KeptStates:
    """A changelog as read.

    Attributes:
        contents: Every different one, by key and offset in `ticks`.
        newest: Of each key, the value at the highest offset; a recovery takes that one.
        contradictions: Keys that have two contents at one offset.
        overtaken: Keys of which the last record is not the newest.
    """

    contents: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    newest: dict[bytes, bytes] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)
    overtaken: set[bytes] = field(default_factory=set)

    def add(self, key: bytes, value: bytes) -> None:
        """Take a record."""
        offset, content = offset_of(value), content_at(key, value)
        if self.contents.setdefault((key, offset), content) != content:
            self.contradictions.append(f"state {key!r} at {offset}")
        if key not in self.newest or offset >= offset_of(self.newest[key]):
            self.newest[key] = value
            self.overtaken.discard(key)
        else:
            self.overtaken.add(key)

    def tickers(self) -> dict[str, TickerState]:
        """Give the newest state of each ticker."""
        values = {key: value for key, value in self.newest.items() if not is_partition_key(key)}
        return {key.decode(): TickerState.restore(snapshot_of(value)) for key, value in values.items()}


def kept_states(records: Iterable[Message]) -> KeptStates:
    """Read a changelog."""
    kept = KeptStates()
    for record in records:
        if record.value() is not None:
            kept.add(record.key(), record.value())
    return kept
