"""Final feature events of real prices, under as many ticker names as wanted."""

from collections.abc import Iterator

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
            watermark_ns=start_ns + 86_400 * 10**9,
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
