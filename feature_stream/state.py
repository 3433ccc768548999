"""What is remembered: of one ticker, and of one partition. Snapshots give it back bit for bit."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from feature_stream.indicators.closed import ClosedView, closed_view
from feature_stream.indicators.rolling import Rolling
from feature_stream.open_bar import OpenBar
from schemas.errors import StopAndSayError

#: First in every snapshot. Any change of what a snapshot holds needs another.
SNAPSHOT_VERSION = 1
#: Before every event time.
NEVER_NS = -(2**63)

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
        newest_closed_ns: Event time of the newest tick of all closed bars.
        ingested_at_ns: Of the newest frame with a tick of this ticker.
        lost: Frames were lost since the last tick: the next bar to open may lack its first ticks.
        view: What the last closed bar says; made when asked for, and no part of a snapshot.
    """

    ticker: str
    rolling: Rolling = field(default_factory=Rolling)
    open_bars: list[OpenBar] = field(default_factory=list)
    floor_ns: int = NEVER_NS
    quiet_until_ns: int = NEVER_NS
    offset: int = -1
    source: str = ""
    newest_closed_ns: int = NEVER_NS
    ingested_at_ns: int = 0
    lost: bool = False
    view: ClosedView | None = None

    @property
    def bar_index(self) -> int:
        """Count the bars closed so far."""
        return self.rolling.window.count

    @property
    def newest_time_ns(self) -> int:
        """Give the event time of the newest tick; `NEVER_NS` before the first."""
        return self.open_bars[-1].last_ns if self.open_bars else self.newest_closed_ns

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


class SourceClock(Struct, array_like=True):
    """What a partition has heard of one source; late ticks count, early ones do not."""

    newest_ns: int = NEVER_NS
    watermark_ns: int = NEVER_NS


class PartitionState(Struct, array_like=True, tag=SNAPSHOT_VERSION):
    """What a partition of `ticks` has brought so far; no ticker's state goes into it.

    Attributes:
        offset: Of the last frame absorbed whole; -1: none.
        sequences: The last one of each source.
        interval: Of the bars; empty before the first frame.
    """

    partition: int
    offset: int = -1
    sequences: dict[str, int] = field(default_factory=dict)
    clocks: dict[str, SourceClock] = field(default_factory=dict)
    interval: str = ""

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


def mark_lost(states: Mapping[str, TickerState], next_offset: int | None = None) -> list[str]:
    """Note that frames before `next_offset` are gone for good: bars open across the loss are partial.

    So is the next bar of a ticker if its next tick opens one: its first ticks may be among the lost.

    Args:
        states: Of the partition.
        next_offset: Of the first frame after the loss. States that have absorbed it or a later one passed the
            loss before, in an earlier life, and stay as they are; None: there are none.

    Returns:
        The tickers whose state has changed.
    """
    marked = [ticker for ticker, state in states.items() if next_offset is None or state.offset < next_offset]
    for ticker in marked:
        state = states[ticker]
        state.lost, state.quiet_until_ns = True, NEVER_NS
        for bar in state.open_bars:
            bar.partial = True
    return marked
