"""What is remembered: of one ticker, and of one partition. Snapshots give it back bit for bit."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

from feature_stream.flood import BadInputs
from feature_stream.indicators.closed import ClosedView, closed_view
from feature_stream.indicators.rolling import Rolling
from feature_stream.open_bar import OpenBar
from feature_stream.rules import KeptRules
from feature_stream.snapshots import Parts, Versions

#: First in every snapshot. Any change of what a snapshot holds needs another, and a migration from the one before.
TICKER_VERSION = 2
PARTITION_VERSION = 2
#: Before every event time.
NEVER_NS = -(2**63)
#: After every one.
AFTER_ALL_NS = 2**63 - 1
#: Remembered in a partition's record, which must stay far below the size of a Kafka message. A source beyond, if it
#: comes back, is a new one.
MAXIMUM_SOURCES = 1_000
#: Likewise. The states of tickers beyond are kept as well, but an old one that comes back is not noticed.
MAXIMUM_GUARDED_TICKERS = 30_000

_encode = msgspec.msgpack.Encoder().encode


class TickerState(Struct, array_like=True, tag=TICKER_VERSION):
    """One ticker's rolling state.

    Attributes:
        open_bars: Oldest first.
        floor_ns: Bars that end at or before it are closed, whether they had ticks or not.
        quiet_until_ns: A tick before it closes nothing and opens nothing, if it is the newest.
        offset: Of the last frame of `ticks` absorbed; -1: none.
        source: Of the last tick, by arrival.
        ingested_at_ns: Of the newest frame with a tick of this ticker.
        view: What the last closed bar says; made when asked for, and no part of a snapshot.
        rescaled: By what bars that have been told must be multiplied to be on the scale of the others.
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
    rescaled: float = 1.0

    @property
    def bar_index(self) -> int:
        """Count the bars closed so far."""
        return self.rolling.window.count

    def lose(self, before_ns: int = AFTER_ALL_NS) -> bool:
        """Mark the open bars that begin before a time as partial; tell whether there are any."""
        lacking = [bar for bar in self.open_bars if bar.start_ns < before_ns]
        for bar in lacking:
            bar.partial = True
        return bool(lacking)

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
        return _TICKER.read(data)


class SourceMark(Struct, array_like=True):
    """How far a partition has heard one source; late ticks count, early ones do not.

    Attributes:
        sequence: The last one.
        lost_through_ns: Bars that begin up to here may lack ticks. Sequences are dense, so one that is missing tells of
            lost frames; of ticks that the source itself missed it says so.
    """

    sequence: int = -1
    newest_ns: int = NEVER_NS
    watermark_ns: int = NEVER_NS
    lost_through_ns: int = NEVER_NS


class PartitionState(Struct, array_like=True, tag=PARTITION_VERSION):
    """What a partition of `ticks` has brought so far; no ticker's state goes into it.

    Attributes:
        offset: Of the last frame absorbed whole; -1: none.
        sources: Those heard of, the one heard last at the end; see `MAXIMUM_SOURCES`.
        rules: Under which it was absorbed; null before the first frame.
        kept: The offset at which each ticker's state is kept, at least; see `MAXIMUM_GUARDED_TICKERS`.
        bad_inputs: Those that count towards a flood.
    """

    partition: int
    offset: int = -1
    sources: dict[str, SourceMark] = field(default_factory=dict)
    rules: KeptRules | None = None
    kept: dict[str, int] = field(default_factory=dict)
    bad_inputs: BadInputs = field(default_factory=BadInputs)

    def hear(self, source: str, mark: SourceMark) -> None:
        """Note how far a source is; the one that was silent longest makes room."""
        self.sources.pop(source, None)
        self.sources[source] = mark
        if len(self.sources) > MAXIMUM_SOURCES:
            del self.sources[next(iter(self.sources))]

    def keep(self, ticker: str, offset: int) -> None:
        """Note that a ticker's state is kept; one that must first catch up with a lost one counts from there on."""
        before = self.kept.get(ticker)
        if before is None:
            if len(self.kept) < MAXIMUM_GUARDED_TICKERS:
                self.kept[ticker] = offset
        elif before <= self.offset:
            self.kept[ticker] = offset

    def keep_all(self, states: Mapping[str, TickerState]) -> None:
        """Note the states that were read back, but for those beyond this record: the changelog may not have them."""
        for ticker, state in states.items():
            if state.offset <= self.offset:
                self.keep(ticker, state.offset)

    def behind(self, states: Mapping[str, TickerState]) -> dict[str, int]:
        """Give the tickers whose state is older than the one that was kept, with the offset that they have absorbed."""
        offsets = {ticker: states[ticker].offset if ticker in states else -1 for ticker in self.kept}
        return {ticker: offset for ticker, offset in offsets.items() if offset < self.kept[ticker]}

    def snapshot(self) -> bytes:
        """Write the state, versioned."""
        return _encode(self)

    @classmethod
    def restore(cls, data: bytes) -> "PartitionState":
        """Read a state that behaves as the one that was written.

        Raises:
            SnapshotError: The bytes are of another version, or no snapshot.
        """
        return _PARTITION.read(data)


def _without_kept_offsets(parts: Parts) -> Parts:
    """Version 1 did not know where the tickers' states stand."""
    partition, offset, sources, rules = parts
    return [partition, offset, sources, rules, {}]


def _on_one_scale(parts: Parts) -> Parts:
    """Version 1 knew of no splits; the field came last, and lacks."""
    return parts


_TICKER = Versions(TickerState, TICKER_VERSION, "a ticker's state", {1: _on_one_scale})
_PARTITION = Versions(PartitionState, PARTITION_VERSION, "a partition's record", {1: _without_kept_offsets})


def mark_lost(states: Mapping[str, TickerState], next_offset: int) -> list[str]:
    """Note that frames before `next_offset` are gone for good: bars open across the loss are partial.

    Args:
        states: Of the partition.
        next_offset: Of the first frame after the loss. States that have absorbed it or a later one passed the
            loss before, in an earlier life, and stay as they are.

    Returns:
        The tickers whose state has changed.
    """
    return [ticker for ticker, state in states.items() if state.offset < next_offset and state.lose()]
