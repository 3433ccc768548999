"""Whether cost hangs on history: CPU per tick and memory of the stage over many million ticks.

`python -m benchmarks.long_run`. The log is fed so that the stage is never without work, and trimmed behind it, so
that the disk holds what is not yet absorbed and little more.
"""

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from confluent_kafka import Producer

from benchmarks.cluster import environment, fresh_topics, kafka
from benchmarks.market import Market
from benchmarks.topic_tools import Trimmer, configure
from benchmarks.watched import EndedError, Watched, watch
from deploy.kafka.ports import free_ports
from schemas.codec import encode
from schemas.metrics import TICKS_ABSORBED
from schemas.settings import Settings
from schemas.topics import TICKS

_PARTITIONS = 4
_AHEAD_TICKS = 2_000_000
_LOOK_EVERY_TICKS = 50_000
_WAIT_SECONDS = 0.05
_MUTE_SECONDS = 120.0
_MIB = 2**20


@dataclass(frozen=True)
class Mark:
    """How things stood when so many ticks were absorbed."""

    ticks: float
    at_seconds: float
    cpu_seconds: float
    resident_bytes: int


@dataclass(frozen=True)
class Stretch:
    """What one part of the ticks cost."""

    through_million: float
    cpu_microseconds_each: float
    ticks_per_second: float
    resident_mib: float


class LongRun:
    """Feeds one stage, and marks what it has used."""

    def __init__(self, watched: Watched, settings: Settings, every_ticks: int, spare_ticks: int) -> None:
        self.marks: list[Mark] = []
        self._watched = watched
        self._trimmer = Trimmer(settings)
        self._every_ticks = every_ticks
        self._spare_ticks = spare_ticks  # the last frame may not fill the last stretch
        self._name = settings.topic_prefix + TICKS.name
        self._producer = Producer(settings.kafka_config() | {"linger.ms": 5, "queue.buffering.max.messages": 1_000_000})
        self._absorbed = 0.0
        self._moved_at = time.monotonic()

    def feed(self, market: Market) -> None:
        """Feed a market, never more than some ticks ahead, and wait until all is absorbed."""
        sent = looked_at = 0
        for partition, frame in market.frames():
            self._producer.produce(self._name, encode(frame), partition=partition)
            self._producer.poll(0)
            sent += market.frame_ticks
            if sent - looked_at >= _LOOK_EVERY_TICKS:
                looked_at = sent
                self._wait_until(sent - _AHEAD_TICKS)
        self._producer.flush(60)
        self._wait_until(sent)
        self._trimmer.close()

    def _wait_until(self, wanted: float) -> None:
        self._look()
        while self._absorbed < wanted:
            time.sleep(_WAIT_SECONDS)
            self._look()

    def _look(self) -> None:
        self._watched.require_alive()
        absorbed, now = self._watched.metric(TICKS_ABSORBED.name), time.monotonic()
        if absorbed > self._absorbed:
            self._absorbed, self._moved_at = absorbed, now
        elif now - self._moved_at > _MUTE_SECONDS:
            raise EndedError(f"nothing was absorbed for {_MUTE_SECONDS:g} s:\n{self._watched.words()}")
        if absorbed >= self._every_ticks * len(self.marks) - self._spare_ticks:
            self.marks.append(Mark(absorbed, now, self._watched.cpu_seconds(), self._watched.resident_bytes()))
            self._trimmer.trim()


def stretches(marks: Sequence[Mark]) -> Iterator[Stretch]:
    """Give what each stretch between two marks cost."""
    for before, after in pairwise(marks):
        ticks = after.ticks - before.ticks
        yield Stretch(
            after.ticks / 1e6,
            (after.cpu_seconds - before.cpu_seconds) / ticks * 1e6,
            ticks / (after.at_seconds - before.at_seconds),
            after.resident_bytes / _MIB,
        )


def measure_long_run(address: str, market: Market, every_ticks: int) -> list[Stretch]:
    """Run the stage over a market; the first stretch holds its start as well."""
    with fresh_topics(address, market.partitions) as settings, watch() as watching:
        configure(settings, TICKS, {"segment.bytes": str(64 * _MIB), "file.delete.delay.ms": "1000"})
        watched = watching.module("feature_stream", environment(settings, metrics_port=next(free_ports())))
        run = LongRun(watched, settings, every_ticks, spare_ticks=market.frame_ticks)
        run.feed(market)
    return list(stretches(run.marks))


def _print(measured: Sequence[Stretch]) -> None:
    print(f"\n{'million ticks':>14}{'CPU us each':>14}{'ticks/s':>12}{'MiB':>8}")
    for stretch in measured:
        print(
            f"{stretch.through_million:14.1f}{stretch.cpu_microseconds_each:14.3f}"
            f"{stretch.ticks_per_second:12,.0f}{stretch.resident_mib:8.1f}"
        )
    settled = measured[1:]  # the first one holds the start
    if len(settled) < 2:
        return
    millions = [stretch.through_million for stretch in settled]
    span = millions[-1] - millions[0]
    for name, unit, values in (
        ("CPU", "us a tick", [stretch.cpu_microseconds_each for stretch in settled]),
        ("memory", "MiB", [stretch.resident_mib for stretch in settled]),
    ):
        rise = statistics.linear_regression(millions, values).slope * span
        share = rise / statistics.fmean(values)
        print(f"{name}: the line through all but the first rises by {rise:+.3f} {unit} ({share:+.1%}) in all")


def main() -> None:
    """Run, and print a line a stretch, and the slopes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_run", description=__doc__)
    parser.add_argument("--ticks", type=int, default=50_000_000)
    parser.add_argument("--every", type=int, default=5_000_000, help="ticks a stretch")
    parser.add_argument("--tickers", type=int, default=100)
    parser.add_argument("--frame-ticks", type=int, default=256)
    options = parser.parse_args()
    market = Market(options.tickers, options.ticks, options.frame_ticks, partitions=_PARTITIONS)
    with kafka() as address:
        _print(measure_long_run(address, market, options.every))


if __name__ == "__main__":
    main()
