"""How fast the recorder writes a whole replay into its database: `python -m benchmarks.gateway.recording --help`.

Records are as large as in production, and as many of each kind: of a bar itself, its final indicators and some
provisional ones (which are read and not kept), a prediction with three horizons, and their three outcomes.
"""

import argparse
import tempfile
from collections.abc import Iterator

import msgspec
from confluent_kafka import Producer
from msgspec import Struct, structs

from benchmarks.cluster import environment, fresh_topics, kafka
from benchmarks.stopwatch import time_process
from deploy.kafka.ports import free_ports
from schemas.asyncapi_messages import read_example
from schemas.codec import encode
from schemas.events import Bar, Features, Outcome, Prediction
from schemas.metrics import RECORDED
from schemas.settings import Settings
from schemas.topics import BARS, FEATURES, OUTCOMES, PREDICTIONS, Topic

_DAY_NS = 86_400 * 10**9
_HORIZONS = (1, 5, 21)
_PARTITIONS = 4
#: Of a bar: itself, its final indicators, its prediction, the outcomes.
_KEPT_OF_A_BAR = 3 + len(_HORIZONS)

_Said = Iterator[tuple[Topic, str, Struct]]


def replay(tickers: int, bars: int, provisional: int) -> _Said:
    """Yield topic, ticker and event of so many bars of each ticker, a bar of every ticker after the other."""
    for number in range(bars):
        for ticker in range(tickers):
            yield from _of_bar(f"T{ticker:05d}", number, provisional)


def _of_bar(ticker: str, number: int, provisional: int) -> _Said:
    bar, features, prediction, outcome = _EXAMPLES
    start_ns, name = bar.start_ns + number * _DAY_NS, f"{ticker}:1d:{number}"
    shared = {"ticker": ticker, "bar_index": number}
    as_of = shared | {"as_of_ns": start_ns + _DAY_NS}
    for update in range(provisional):
        yield FEATURES, ticker, structs.replace(features, **as_of, id=f"{name}:{update}", final=False)
    yield BARS, ticker, structs.replace(bar, **shared, id=name, start_ns=start_ns, end_ns=start_ns + _DAY_NS)
    yield FEATURES, ticker, structs.replace(features, **as_of, id=f"{name}:final", final=True)
    yield PREDICTIONS, ticker, structs.replace(prediction, **as_of, id=f"{name}:final/set", provisional=False)
    for horizon in _HORIZONS:
        matured = as_of | {"horizon": horizon, "matured_ns": start_ns + (horizon + 1) * _DAY_NS}
        yield OUTCOMES, ticker, structs.replace(outcome, **matured, id=f"{name}:h{horizon}", start_ns=start_ns)


_EXAMPLES = (
    msgspec.convert(read_example("Bar"), Bar),
    msgspec.convert(read_example("Features"), Features),
    msgspec.convert(read_example("Prediction"), Prediction),
    msgspec.convert(read_example("Outcome"), Outcome),
)


def fill(settings: Settings, said: _Said) -> None:
    """Write it to the topics."""
    producer = Producer(
        settings.kafka_config()
        | {"linger.ms": 20, "queue.buffering.max.messages": 1_000_000, "partitioner": "murmur2_random"}
    )
    for number, (topic, ticker, event) in enumerate(said):
        producer.produce(settings.topic_prefix + topic.name, encode(event), ticker.encode())
        if number % 10_000 == 0:
            producer.flush(120)
    left = producer.flush(120)
    assert left == 0, f"{left} events were not taken"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickers", type=int, default=100)
    parser.add_argument("--bars", type=int, default=400, help="of each ticker")
    parser.add_argument("--provisional", type=int, default=4, help="provisional feature events of each bar")
    parser.add_argument("--database-url", help="an empty database; else a SQLite file made for the purpose")
    return parser


def main() -> None:
    """Measure, and print."""
    options = _parser().parse_args()
    kept = options.tickers * options.bars * _KEPT_OF_A_BAR
    with kafka() as address, fresh_topics(address, _PARTITIONS) as settings, tempfile.TemporaryDirectory() as folder:
        daily = settings.model_copy(update={"interval": "1d"})
        fill(daily, replay(options.tickers, options.bars, options.provisional))
        url = options.database_url or f"sqlite:///{folder}/history.db"
        variables = environment(daily, database_url=url, metrics_port=next(free_ports()))
        pace = time_process("gateway.recorder", RECORDED.name, kept, variables)
    rows = len(_EXAMPLES[2].horizons) + _KEPT_OF_A_BAR - 1
    print(
        f"{kept:,} records of {options.tickers} tickers, {options.provisional} provisional feature events a bar beside:"
        f" {pace.per_second:,.0f} records/s, {pace.per_second * rows / _KEPT_OF_A_BAR:,.0f} rows/s,"
        f" {pace.cpu_microseconds_each:.0f} us of CPU a record, {pace.memory_mebibytes:.0f} MiB"
    )


if __name__ == "__main__":
    main()
