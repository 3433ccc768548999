"""A process that feeds `ticks` at a steady pace, as an ingestor would: `python -m benchmarks.feeder --help`.

Every few milliseconds it sends the frames that have gathered, one a partition. Where the machine was too slow, it
sends at once what is overdue, so the mean rate holds.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import Producer
from msgspec import structs

from benchmarks.feature_stage.contestants import CONTESTANTS, TICKCAST, Contestant
from benchmarks.feature_stage.inputs import records
from benchmarks.market import Market
from benchmarks.quiet_tickers import quieten
from schemas.events import TickFrame
from schemas.settings import Settings
from schemas.topics import TICKS

_SPIN_SECONDS = 0.000_2


@dataclass(frozen=True)
class Feed:
    """What is fed, and how fast.

    Attributes:
        rate: Ticks a second, over all tickers.
        quiet_share: This part of the tickers trades about once a second.
        contestant: Whose shape the records have.
    """

    tickers: int
    rate: float
    seconds: float
    frame_ms: float = 5.0
    quiet_share: float = 0.0
    contestant: Contestant = TICKCAST

    def arguments(self) -> tuple[str, ...]:
        """Give it as arguments of the process."""
        named = vars(self) | {"contestant": self.contestant.name}
        return tuple(f"--{name.replace('_', '-')}={value}" for name, value in named.items())

    def market(self, partitions: int) -> Market:
        """Give the market of its ticks, event time at the pace of the clock."""
        return Market(
            tickers=self.tickers,
            ticks=round(self.rate * self.seconds),
            frame_ticks=max(1, round(self.rate * self.frame_ms / 1_000 / partitions)),
            partitions=partitions,
            rate_per_second=self.rate,
        )


def paced(frames: Iterator[tuple[int, TickFrame]], market: Market) -> Iterator[tuple[int, TickFrame]]:
    """Hold back each group of frames, one a partition, until its time; stamp them as taken in now."""
    began = time.monotonic()
    group_seconds = market.partitions * market.frame_ticks / market.rate_per_second
    for number, (partition, frame) in enumerate(frames):
        if number % market.partitions == 0:
            _sleep_until(began + group_seconds * (number // market.partitions))
        yield partition, structs.replace(frame, ingested_at_ns=time.time_ns())


def _sleep_until(due: float) -> None:
    left = due - time.monotonic()
    if left > _SPIN_SECONDS:
        time.sleep(left)


def feed(settings: Settings, what: Feed) -> None:
    """Feed until the time is over."""
    producer = Producer(settings.kafka_config() | {"linger.ms": 0, "queue.buffering.max.messages": 1_000_000})
    name = settings.topic_prefix + TICKS.name
    market = what.market(settings.partitions)
    firsts = [0] * settings.partitions
    frames = quieten(market.frames(), market, what.quiet_share)
    for partition, frame in paced(frames, market):
        for record in records(what.contestant, partition, frame, firsts[partition]):
            producer.produce(name, record.value, record.key, partition=record.partition)
            firsts[partition] += record.ticks
        producer.poll(0)
    producer.flush(60)


def _parsed() -> Feed:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.feeder", description=__doc__)
    parser.add_argument("--tickers", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--frame-ms", type=float, default=5.0)
    parser.add_argument("--quiet-share", type=float, default=0.0)
    parser.add_argument("--contestant", choices=[each.name for each in CONTESTANTS], default=TICKCAST.name)
    options = vars(parser.parse_args())
    name = options.pop("contestant")
    contestant = next(each for each in CONTESTANTS if each.name == name)
    return Feed(contestant=contestant, **options)


if __name__ == "__main__":
    feed(Settings(_env_file=None), _parsed())
