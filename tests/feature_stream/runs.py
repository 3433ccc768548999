"""Logs made by hand, and the pure half of the stage run over them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from feature_stream.advance import Absorbed, StageRules, absorb, provisional
from feature_stream.frames import CheckedFrame
from feature_stream.state import PartitionState, SourceMark, TickerState
from schemas.events import Bar, Features, Origin, TickFrame

SECOND = 1_000_000_000
#: 2024-01-01T00:00:00Z, a boundary of every interval.
MIDNIGHT = 1_704_067_200 * SECOND

#: Ticker, seconds after midnight, price, size.
Tick = tuple[str, float, float, float]


def at(seconds: float) -> int:
    return MIDNIGHT + round(seconds * SECOND)


def frame(
    ticks: Iterable[Tick] = (),
    *,
    sequence: int = 0,
    source: str = "s",
    watermark: float | None = None,
    origin: Origin = Origin.NORMAL,
    ingested_at_ns: int = 0,
    lost_before: float | None = None,
) -> TickFrame:
    listed = list(ticks)
    return TickFrame(
        source=source,
        sequence=sequence,
        position=str(sequence),
        tickers=[tick[0] for tick in listed],
        times_ns=[at(tick[1]) for tick in listed],
        prices=[float(tick[2]) for tick in listed],
        sizes=[float(tick[3]) for tick in listed],
        ingested_at_ns=ingested_at_ns,
        origin=origin,
        watermark_ns=None if watermark is None else at(watermark),
        lost_before_ns=None if lost_before is None else at(lost_before),
    )


def rules(
    interval: str = "1s", *, lateness: float = 0.0, early: float | None = None, partitions: int = 1
) -> StageRules:
    return StageRules(
        interval=interval,  # type: ignore[arg-type]
        partitions=partitions,
        lateness_ns=round(lateness * SECOND),
        early_ns=None if early is None else round(early * SECOND),
    )


@dataclass
class Run:
    """One partition, its tickers, and all that came out so far."""

    rules: StageRules = field(default_factory=rules)
    partition: PartitionState = field(default_factory=lambda: PartitionState(0))
    states: dict[str, TickerState] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)
    features: list[Features] = field(default_factory=list)
    bad: list[tuple[int, int, str]] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)

    def take(self, tick_frame: CheckedFrame | TickFrame, offset: int | None = None, now_ns: int = 0) -> Absorbed:
        offset = self.partition.offset + 1 if offset is None else offset
        absorbed = absorb(self.partition, self.states, tick_frame, offset, self.rules, now_ns)
        self.bars += absorbed.bars
        self.features += absorbed.features
        self.bad += [(offset, bad.index, bad.reason) for bad in absorbed.bad]
        return absorbed

    def send(
        self,
        *ticks: Tick,
        source: str = "s",
        watermark: float | None = None,
        origin: Origin = Origin.NORMAL,
        ingested_at_ns: int = 0,
        lost_before: float | None = None,
    ) -> Absorbed:
        """Take the next frame of a source."""
        sequence = self.partition.sources.get(source, SourceMark()).sequence + 1 + self.lost.pop(source, 0)
        made = frame(
            ticks,
            sequence=sequence,
            source=source,
            watermark=watermark,
            origin=origin,
            ingested_at_ns=ingested_at_ns,
            lost_before=lost_before,
        )
        return self.take(made)

    def lose(self, source: str = "s") -> None:
        """Let the next frame of a source be missing."""
        self.lost[source] += 1

    def speak(self, ticker: str = "A") -> Features | None:
        return provisional(self.states[ticker], self.partition.partition, self.rules, 0)

    def through_snapshots(self) -> None:
        """Write everything, forget it, and read it back."""
        self.partition = PartitionState.restore(self.partition.snapshot())
        self.states = {ticker: TickerState.restore(state.snapshot()) for ticker, state in self.states.items()}


def run_over(log: Iterable[TickFrame], stage_rules: StageRules, kind: type[Run] = Run) -> Run:
    """Take a whole log."""
    run = kind(stage_rules)
    for one in log:
        run.take(one)
    return run


def prices_of(bar: Bar) -> tuple[float, float, float, float, float]:
    return bar.open, bar.high, bar.low, bar.close, bar.volume


def spans_of(bars: Iterable[Bar]) -> list[tuple[str, float]]:
    """Give ticker and start of each bar, in seconds after midnight."""
    return [(bar.ticker, (bar.start_ns - MIDNIGHT) / SECOND) for bar in bars]
