"""Frames of a made-up market, and what the stage must say of them."""

import random
from collections.abc import Iterator

from feature_stream.advance import StageRules, absorb
from feature_stream.frames import read_frame
from feature_stream.state import PartitionState, TickerState
from schemas.codec import UndecodableError
from schemas.events import Bar, Features, TickFrame
from schemas.partitioning import partition_of
from tests.brokers import Record

START_NS = 1_600_000_000_000_000_000 - 1_600_000_000_000_000_000 % 60_000_000_000
PARTITIONS = 4
RULES = StageRules(interval="1m", partitions=PARTITIONS)


def market_frames(rng: random.Random, tickers: int, minutes: int) -> Iterator[tuple[int, TickFrame]]:
    """Yield (partition, frame), one frame a partition and ten seconds, a watermark after each minute."""
    homes: dict[int, list[str]] = {partition: [] for partition in range(PARTITIONS)}
    for number in range(tickers):
        homes[partition_of(f"T{number:04d}", PARTITIONS)].append(f"T{number:04d}")
    prices = {ticker: 100.0 for names in homes.values() for ticker in names}
    for step in range(minutes * 6):
        for partition, names in homes.items():
            yield partition, _frame(rng, names, prices, step)


def _frame(rng: random.Random, names: list[str], prices: dict[str, float], step: int) -> TickFrame:
    chosen = [name for name in names if rng.random() < 0.7]
    time_ns = START_NS + step * 10_000_000_000
    for name in chosen:
        prices[name] *= 1 + rng.gauss(0, 0.001)
    return TickFrame(
        source="market",
        sequence=step,
        position=str(step),
        tickers=chosen,
        times_ns=[time_ns + rng.randrange(10**9) for _ in chosen],
        prices=[prices[name] for name in chosen],
        sizes=[float(rng.randrange(100)) for _ in chosen],
        ingested_at_ns=time_ns,
        watermark_ns=time_ns + 10_000_000_000 if step % 6 == 5 else None,
    )


def expected_events(records: list[Record], rules: StageRules = RULES) -> tuple[dict[str, Bar], dict[str, Features]]:
    """Run the log through the pure functions: bars and final features by id."""
    partitions: dict[int, PartitionState] = {}
    states: dict[int, dict[str, TickerState]] = {}
    bars: dict[str, Bar] = {}
    features: dict[str, Features] = {}
    for record in sorted(records, key=lambda r: (r.partition, r.offset)):
        partition = partitions.setdefault(record.partition, PartitionState(record.partition))
        try:
            frame = read_frame(record.value)
        except UndecodableError:
            partition.offset = record.offset
            continue
        out = absorb(partition, states.setdefault(record.partition, {}), frame, record.offset, rules, 0)
        bars |= {bar.id: bar for bar in out.bars}
        features |= {event.id: event for event in out.features}
    return bars, features
