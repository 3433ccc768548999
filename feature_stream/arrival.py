"""One frame at its place in the log, and what it meets there."""

from dataclasses import dataclass, field

from feature_stream.rules import StageRules
from feature_stream.state import PartitionState, SourceMark, TickerState
from feature_stream.ticks import BadTick
from schemas.events import Bar, Features, TickFrame


@dataclass(slots=True)
class Absorbed:
    """What a frame has brought.

    Attributes:
        bars: Closed ones; of one ticker in the order of their starts.
        features: The final one of each bar, likewise.
        bad: Ticks to dead-letter, by their index in the frame as it came.
        touched: Tickers that absorbed ticks, in the order of their first.
        dirty: Tickers whose state must be kept: touched, closed by the watermark, or passed over.
        ticks_absorbed: How many.
        passed_over: The frame came before: its sequence is not above its source's last one.
    """

    bars: list[Bar] = field(default_factory=list)
    features: list[Features] = field(default_factory=list)
    bad: list[BadTick] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    dirty: set[str] = field(default_factory=set)
    ticks_absorbed: int = 0
    passed_over: bool = False


@dataclass(slots=True)
class Arrival:
    """A frame of sound ticks, its offset, the states it meets, and what comes out."""

    partition: PartitionState
    states: dict[str, TickerState]
    frame: TickFrame
    offset: int
    rules: StageRules
    now_ns: int
    out: Absorbed = field(default_factory=Absorbed)

    @property
    def mark(self) -> SourceMark:
        """Give how far the partition has heard the frame's source."""
        return self.partition.sources.get(self.frame.source) or SourceMark()
