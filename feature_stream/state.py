"""What is remembered: of one ticker, and of one partition. Snapshots give it back bit for bit."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from feature_stream.indicators.closed import ClosedView, closed_view
from feature_stream.indicators.rolling import Rolling
from feature_stream.open_bar import OpenBar
from feature_stream.rules import KeptRules
from schemas.errors import StopAndSayError

#: First in every snapshot. Any change of what a snapshot holds needs another.
SNAPSHOT_VERSION = 1
#: Before every event time.
NEVER_NS = -(2**63)
#: Remembered in a partition's record, which must stay far below the size of a Kafka message. A source beyond, if it
#: comes back, is a new one.
MAXIMUM_SOURCES = 1_000

_encode = msgspec.msgpack.Encoder().encode
State = TypeVar("State", bound=Struct)


class SnapshotError(StopAndSayError):
    """A snapshot that this version cannot read: going on would forget or invent history."""


class TickerState(Struct, array_like=True, tag=SNAPSHOT_VERSION):
    """One ticker's rolling state.

    Attributes:
        open_bars: Oldest first.
        floor_ns: Bars that end at or before it are closed, whether they had ticks or not.
        quiet_until_ns: A tick before it closes nothing and opens nothing, if it is the newest.
        offset: Of the last frame of `ticks` absorbed; -1: none.
        source: Of the last tick, by arrival.
        ingested_at_ns: Of the newest frame with a tick of this ticker.
        view: What the last closed bar says; made when asked for, and no part of a snapshot.
    """

    ticker: str
    rolling: Rolling = field(default_factory=Rolling)
    open_bars: list[OpenBar] = field(default_factory=list)
    floor_ns: int = NEVER_NS
    quiet_until_ns: int = NEVER_NS
    offset: int = -1
    source: str = ""
    ingested_at_ns: int = 0
    view: ClosedView | None = None

    @property
    def bar_index(self) -> int:
        """Count the bars closed so far."""
        return self.rolling.window.count

    def closed(self) -> ClosedView:
        """Give what the last closed bar says."""
        if self.view is None:
            self.view = closed_view(self.rolling)
        return self.view

    def snapshot(self) -> bytes:
        """Write the state, versioned, all floats exact."""
        return _encode(msgspec.structs.replace(self, view=None))

    @classmethod
    def restore(cls, data: bytes) -> "TickerState":
        """Read a state that behaves as the one that was written.

        Raises:
            SnapshotError: The bytes are of another version, or no snapshot.
        """
        return _restore(data, _TICKER)


class SourceMark(Struct, array_like=True):
    """How far a partition has heard one source; late ticks count, early ones do not.

    Attributes:
        sequence: The last one.
        lost_through_ns: Sequences are dense, so one that is missing tells of lost frames: bars that begin up to
            here may lack ticks.
    """

    sequence: int = -1
    newest_ns: int = NEVER_NS
    watermark_ns: int = NEVER_NS
    lost_through_ns: int = NEVER_NS


class PartitionState(Struct, array_like=True, tag=SNAPSHOT_VERSION):
    """What a partition of `ticks` has brought so far; no ticker's state goes into it.

    Attributes:
        offset: Of the last frame absorbed whole; -1: none.
        sources: Those heard of, the one heard last at the end; see `MAXIMUM_SOURCES`.
        rules: Under which it was absorbed; null before the first frame.
    """

    partition: int
    offset: int = -1
    sources: dict[str, SourceMark] = field(default_factory=dict)
    rules: KeptRules | None = None

    def hear(self, source: str, mark: SourceMark) -> None:
        """Note how far a source is; the one that was silent longest makes room."""
        self.sources.pop(source, None)
        self.sources[source] = mark
        if len(self.sources) > MAXIMUM_SOURCES:
            del self.sources[next(iter(self.sources))]

    def snapshot(self) -> bytes:
        """Write the state, versioned."""
        return _encode(self)

    @classmethod
    def restore(cls, data: bytes) -> "PartitionState":
        """Read a state that behaves as the one that was written.

        Raises:
            SnapshotError: The bytes are of another version, or no snapshot.
        """
        return _restore(data, _PARTITION)


_TICKER = msgspec.msgpack.Decoder(TickerState)
_PARTITION = msgspec.msgpack.Decoder(PartitionState)


def _restore(data: bytes, decoder: "msgspec.msgpack.Decoder[State]") -> State:
    try:
        return decoder.decode(data)
    except msgspec.DecodeError as error:
        raise SnapshotError(
            f"a kept state is not of snapshot version {SNAPSHOT_VERSION} ({error}): run the version of Tickcast that "
            "wrote it, or start with another TICKCAST_TOPIC_PREFIX (`--fresh`)"
        ) from error


def mark_lost(states: Mapping[str, TickerState], next_offset: int) -> list[str]:
    """Note that frames before `next_offset` are gone for good: bars open across the loss are partial.

    Args:
        states: Of the partition.
        next_offset: Of the first frame after the loss. States that have absorbed it or a later one passed the
            loss before, in an earlier life, and stay as they are.

    Returns:
        The tickers whose state has changed.
    """
    marked = [ticker for ticker, state in states.items() if state.open_bars and state.offset < next_offset]
    for ticker in marked:
        for bar in states[ticker].open_bars:
            bar.partial = True
    return marked
