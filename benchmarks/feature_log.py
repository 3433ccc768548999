"""Final feature events of real prices, under as many ticker names as wanted."""

from collections.abc import Iterator
from itertools import count as count_from
from typing import Any

import numpy as np
from confluent_kafka import Producer
from msgspec import structs

from feature_stream.advance import StageRules, absorb
from feature_stream.state import PartitionState, TickerState
from ingestor.sources.bars import BarColumns
from ingestor.sources.daily_prices import load_daily_bars
from schemas.codec import encode
from schemas.events import Features, TickFrame
from schemas.identity import final_feature_id
from schemas.settings import Settings
from schemas.topics import FEATURES

_DAY_NS = 86_400 * 10**9
_RULES = StageRules(interval="1d", partitions=1)


def real_features(count: int) -> Iterator[Features]:
    """Yield so many final events with full windows, oldest first; each pass over the tickers renames them."""
    histories = [list(_finals(ticker, bars)) for ticker, bars in load_daily_bars().items()]
    ready = [[event for event in history if event.model_inputs] for history in histories]
    days = min(len(history) for history in ready)
    for number in range(count):
        day, name = number % days, number // days
        event = ready[name % len(ready)][day]
        ticker = f"T{name:05d}"
        yield structs.replace(
            event, ticker=ticker, id=final_feature_id(ticker, "1d", event.bar.start_ns), source_offset=number
        )


def varied_features(count: int, seed: int = 0) -> Iterator[Features]:
    """Yield so many final events of random moments, no two alike: trees are far faster over rows that come again."""
    ready = _ready()
    random = np.random.default_rng(seed)
    for number in range(count):
        event = ready[random.integers(len(ready))]
        ticker = f"T{number:05d}"
        yield structs.replace(
            event,
            ticker=ticker,
            id=final_feature_id(ticker, "1d", event.bar.start_ns),
            source_offset=number,
            model_inputs=_shaken(random, event.model_inputs),
            sequence=_shaken(random, event.sequence),
        )


def endless_features(tickers: int) -> Iterator[Features]:
    """Yield final events for ever, a bar of every ticker after the other; each looks like some moment of the past."""
    ready = _ready()
    last_ns = max(event.bar.end_ns for event in ready)
    for bar_index in count_from(1):
        start_ns = last_ns + bar_index * _DAY_NS
        for number in range(tickers):
            event, ticker = ready[(bar_index + 7 * number) % len(ready)], f"T{number:05d}"
            yield structs.replace(
                event,
                ticker=ticker,
                id=final_feature_id(ticker, "1d", start_ns),
                bar=structs.replace(event.bar, start_ns=start_ns, end_ns=start_ns + _DAY_NS),
                as_of_ns=start_ns + _DAY_NS,
                bar_index=bar_index,
                source_offset=bar_index,
            )


def _ready() -> list[Features]:
    """Give every final event of real prices with full windows."""
    return [
        event for ticker, bars in load_daily_bars().items() for event in _finals(ticker, bars) if event.model_inputs
    ]


def _shaken(random: np.random.Generator, numbers: Any) -> Any:
    values = np.array(numbers)
    return (values + random.normal(0.0, 0.05, values.shape)).tolist()


def _finals(ticker: str, bars: BarColumns) -> Iterator[Features]:
    partition, states = PartitionState(0), dict[str, TickerState]()
    columns = (bars.start_ns, bars.open, bars.high, bars.low, bars.close)
    for sequence, (start_ns, *prices) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        frame = TickFrame(
            source="bench",
            sequence=sequence,
            position="",
            tickers=[ticker] * 4,
            times_ns=[start_ns + step for step in range(4)],
            prices=prices,
            sizes=[1.0] * 4,
            ingested_at_ns=start_ns,
            watermark_ns=start_ns + _DAY_NS,
        )
        yield from absorb(partition, states, frame, sequence, _RULES, 0).features


def fill_features(settings: Settings, count: int) -> None:
    """Write final events to `features`."""
    producer = Producer(
        settings.kafka_config()
        | {"linger.ms": 20, "queue.buffering.max.kbytes": 1_000_000, "partitioner": "murmur2_random"}
    )
    for event in real_features(count):
        producer.produce(settings.topic_prefix + FEATURES.name, encode(event), event.ticker.encode())
        producer.poll(0)
    left = producer.flush(120)
    assert left == 0, f"{left} events were not taken"
