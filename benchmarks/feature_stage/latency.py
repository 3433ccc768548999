"""From the broker's append of a tick to receipt of the provisional feature that holds it, at a steady rate.

`python -m benchmarks.feature_stage.latency` measures Tickcast alone. The start is the broker's own `LogAppendTime`:
whole milliseconds, rounded down, so what is measured is up to 1 ms too long. A delivery report would be finer, but it
reaches the feeder some time after the append, and so would flatter. The end is when a plain consumer, on the same
machine, has the feature in its hands.
"""

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory

from confluent_kafka import Consumer
from msgspec import Struct

from benchmarks.cluster import environment, fresh_topics, kafka
from benchmarks.feature_stage.contestants import TICKCAST, Contestant
from benchmarks.feature_stage.edges import Moment, leading_edges
from benchmarks.feeder import Feed
from benchmarks.topic_tools import configure, messages, places, reader
from benchmarks.watched import START_SECONDS, EndedError, Watched, watch
from deploy.kafka.ports import free_ports
from schemas.codec import decoder
from schemas.settings import Settings
from schemas.times import NS_PER_MILLISECOND, NS_PER_SECOND
from schemas.topics import FEATURES, TICKS

_PARTITIONS = 4
_UPDATE_INTERVAL_MS = 250
#: Of a ticker, before a tick that is due at once: two update intervals and a little.
_SILENCE_NS = (2 * _UPDATE_INTERVAL_MS + 100) * NS_PER_MILLISECOND
_QUIET_SHARE = 0.1
_WARM_UP_SECONDS = 5.0
_GRACE_SECONDS = 5.0
_FEED_AT_MOST_SECONDS = 900.0


@dataclass(frozen=True)
class Latency:
    """Of one run; infinite where features never came.

    Attributes:
        leading_total: Ticks that were due at once, and so were timed.
        ticks_per_second: That the broker took, while it was timed.
    """

    leading_total: int
    p50_ms: float
    p99_ms: float
    maximum_ms: float
    ticks_per_second: float


class _Word(Struct):
    ticker: str
    source_offset: int
    final: bool


class _Frame(Struct):
    tickers: list[str]


@dataclass
class _Ear:
    """Hears the features, as any consumer would."""

    consumer: Consumer
    words: dict[str, list[Moment]] = field(default_factory=lambda: defaultdict(list))

    def hear(self, seconds: float, watched: Watched) -> None:
        """Listen for so long."""
        decode, until = decoder(_Word), time.monotonic() + seconds
        while time.monotonic() < until:
            message = self.consumer.poll(0.05)
            heard_at_ns = time.time_ns()
            if message is None or message.error():
                watched.require_alive()
                continue
            word = decode(message.value())
            if not word.final:
                self.words[word.ticker].append((word.source_offset, heard_at_ns))


def measure_latency(contestant: Contestant, address: str, tickers: int, rate: float, seconds: float = 60.0) -> Latency:
    """Time a contestant at a steady rate; a tenth of the tickers is quiet enough to be due at once."""
    with fresh_topics(address, _PARTITIONS) as settings, TemporaryDirectory() as folder, watch() as watching:
        configure(settings, TICKS, {"message.timestamp.type": "LogAppendTime"})
        variables = environment(
            settings,
            metrics_port=next(free_ports()),
            update_interval_ms=_UPDATE_INTERVAL_MS,
            data_directory=f"{folder}/state",
        )
        watched = watching.start(contestant.command, variables)
        feed = Feed(tickers, rate, _FEED_AT_MOST_SECONDS, quiet_share=_QUIET_SHARE, contestant=contestant)
        feeder = watching.module("benchmarks.feeder", variables, *feed.arguments())
        ear = _Ear(reader(settings))
        ear.consumer.assign(places(settings, FEATURES, 0))
        _hear_the_first(ear, watched)
        ear.hear(_WARM_UP_SECONDS, watched)
        began_ns = time.time_ns()
        ear.hear(seconds, watched)
        ended_ns = time.time_ns()
        ear.hear(_GRACE_SECONDS, watched)
        feeder.kill()
        ear.consumer.close()
        return _latency(settings, contestant, ear.words, (began_ns, ended_ns))


def _hear_the_first(ear: _Ear, watched: Watched) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ear.words:
        ear.hear(0.2, watched)
        if time.monotonic() > deadline:
            raise EndedError(f"no feature came within {START_SECONDS:g} s; {watched.log.name} says:\n{watched.words()}")


def _latency(
    settings: Settings, contestant: Contestant, words: dict[str, list[Moment]], window: tuple[int, int]
) -> Latency:
    ticks: dict[str, list[Moment]] = defaultdict(list)
    taken = 0
    for offset, appended_at_ns, names in _log(settings, contestant):
        taken += len(names) * (window[0] <= appended_at_ns < window[1])
        for name in set(names):
            ticks[name].append((offset, appended_at_ns))
    milliseconds = sorted(
        math.inf if heard_at_ns is None else (heard_at_ns - appended_at_ns) / NS_PER_MILLISECOND
        for name in ticks
        for appended_at_ns, heard_at_ns in leading_edges(ticks[name], words.get(name, ()), _SILENCE_NS)
        if window[0] <= appended_at_ns < window[1]
    ) or [math.inf]
    p50_ms, p99_ms = (milliseconds[(len(milliseconds) - 1) * share // 100] for share in (50, 99))
    rate = taken * NS_PER_SECOND / (window[1] - window[0])
    return Latency(len(milliseconds), p50_ms, p99_ms, milliseconds[-1], rate)


def _log(settings: Settings, contestant: Contestant) -> Iterator[tuple[int, int, list[str]]]:
    """Give of every record of `ticks` its offset, when it was appended, and its tickers."""
    decode = decoder(_Frame)
    for message in messages(settings, TICKS):
        names = [message.key().decode()] if contestant.flat else decode(message.value()).tickers
        yield message.offset(), message.timestamp()[1] * NS_PER_MILLISECOND, names


def main() -> None:
    """Measure Tickcast, and print its quantiles."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.feature_stage.latency", description=__doc__)
    parser.add_argument("--tickers", type=int, default=500)
    parser.add_argument("--rate", type=float, default=10_000.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with kafka() as address:
        latency = measure_latency(TICKCAST, address, options.tickers, options.rate, options.seconds)
    print(
        f"{latency.ticks_per_second:,.0f} ticks/s of {options.tickers} tickers, {latency.leading_total} leading edges: "
        f"p50 {latency.p50_ms:.1f} ms, p99 {latency.p99_ms:.1f} ms, longest {latency.maximum_ms:.1f} ms"
    )


if __name__ == "__main__":
    main()
