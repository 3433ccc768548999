"""States as a stage holds them after hours: of many tickers, with full windows, written to the changelog."""

import random

from confluent_kafka import Producer
from msgspec import structs

from benchmarks.market import Market
from feature_stream.advance import StageRules, absorb
from feature_stream.state import PartitionState, TickerState
from feature_stream.table import with_offset
from schemas.events import TickFrame
from schemas.features import WINDOW_BARS
from schemas.partitioning import partition_of
from schemas.settings import Settings
from schemas.times import interval_ns
from schemas.topics import TICKER_STATES_CHANGELOG

_TICKS_A_BAR = 4


def fill_changelog(settings: Settings, market: Market) -> None:
    """Write a full state of every ticker of a market; its first frame comes right after them, at offset 0.

    Such states would take the stage an hour of closed bars; one is made, and the others are it under another name.
    """
    _, first = next(market.frames())
    state = full_state(settings, "T", first.times_ns[0])
    producer = Producer(settings.kafka_config() | {"linger.ms": 20, "queue.buffering.max.messages": 1_000_000})
    for number in range(market.tickers):
        ticker = f"T{number:05d}"  # as the market names them
        value = with_offset(-1, structs.replace(state, ticker=ticker, offset=-1).snapshot())
        partition = partition_of(ticker, settings.partitions)
        producer.produce(settings.topic_prefix + TICKER_STATES_CHANGELOG.name, value, ticker.encode(), partition)
        producer.poll(0)
    left = producer.flush(120)
    assert left == 0, f"{left} states were not taken"


def full_state(settings: Settings, ticker: str, before_ns: int) -> TickerState:
    """Give the state of a ticker whose window is full of bars before a time."""
    partition, states = PartitionState(0), dict[str, TickerState]()
    rules = StageRules(interval=settings.interval, partitions=1)
    bar_ns = interval_ns(settings.interval)
    generator = random.Random(ticker)
    price = 100.0
    for number in range(WINDOW_BARS + 2):
        start_ns = before_ns - (WINDOW_BARS + 2 - number) * bar_ns
        prices = []
        for _ in range(_TICKS_A_BAR):
            price *= 1 + generator.gauss(0, 1e-3)
            prices.append(round(price, 4))
        frame = TickFrame(
            source="market",
            sequence=number,
            position="",
            tickers=[ticker] * _TICKS_A_BAR,
            times_ns=[start_ns + tick * bar_ns // _TICKS_A_BAR for tick in range(_TICKS_A_BAR)],
            prices=prices,
            sizes=[float(generator.randint(1, 100)) for _ in prices],
            ingested_at_ns=start_ns,
        )
        absorb(partition, states, frame, number, rules, 0)
    return states[ticker]
