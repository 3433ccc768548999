"""`make soak PART=feature_stream`: a part under steady load for long; says whether it stays as it is.

Passes where, after the warm-up (the first fifth), the line through the memory rises by no more than 10 MiB in the
time measured (25 MiB an hour in a run of 30 minutes), the line through the lag by no more than a second of records,
and the rate is held; where the part never holds more memory than it may; and where Kafka's folder stays within what
retention allows. Exit code 0: passed, 1: not.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cluster import environment, fresh_topics
from benchmarks.feeder import Feed
from benchmarks.full_states import fill_changelog
from benchmarks.predictions import announce, trained_set
from benchmarks.soak_verdict import Sample, Verdict, verdicts
from benchmarks.topic_tools import configure
from benchmarks.watched import Watch, Watched, local_kafka, watch
from deploy.kafka.node import NodeFolder
from deploy.kafka.ports import free_ports
from schemas.metrics import LAG_RECORDS, PREDICTIONS_MADE, RECORDS_TAKEN, TICKS_ABSORBED, Metric
from schemas.settings import Settings
from schemas.topics import FEATURES, PREDICTIONS, PREDICTIONS_LATEST, TICKS, Topic

_PARTITIONS = 4
_MIB = 2**20
_RETENTION_BYTES = 64 * _MIB
_SEGMENT_BYTES = 16 * _MIB
#: The broker deletes what retention allows only so often, by default.
_RETENTION_LOOK_SECONDS = 300.0
#: Other topics, and the files that Kafka makes for itself.
_OTHER_BYTES = 512 * _MIB
_SAMPLES = 180
_START_SECONDS = 60.0
_MARKET_TICKERS = 500
_MODELS = Path("var/models").resolve()


@dataclass(frozen=True)
class Part:
    """What is soaked.

    Attributes:
        module: Started as `python -m`.
        done: A counter of its work.
        rate: Of its work, a second, that it is fed with by default.
        prepare: Writes what it finds at its start, for a rate; gives settings of its own.
        feed: Starts what feeds it: a rate and for how many seconds.
        records_per_second: That a rate comes to.
        bounded: The topics that grow with it, until retention holds them.
        most_memory_mib: That it may hold.
        visit: Starts clients of it, for so many seconds.
    """

    module: str
    done: Metric
    rate: float
    prepare: Callable[[Settings, float], dict[str, object]]
    feed: Callable[[Watch, dict[str, str], float, float], Watched]
    records_per_second: Callable[[float], float]
    bounded: tuple[Topic, ...]
    most_memory_mib: float = math.inf
    visit: Callable[[Watch, dict[str, str], float], Watched] | None = None


def _ticks_feed(rate: float, seconds: float) -> Feed:
    return Feed(tickers=100, rate=rate, seconds=seconds)


def _feed_ticks(watching: Watch, variables: dict[str, str], rate: float, seconds: float) -> Watched:
    return watching.module("benchmarks.feeder", variables, *_ticks_feed(rate, seconds).arguments())


def _fill_windows(settings: Settings, rate: float) -> dict[str, object]:
    """Begin with full windows: they would fill for an hour, and what fills looks like a leak."""
    fill_changelog(settings, _ticks_feed(rate, 1).market(_PARTITIONS))
    return {}


def _frames_per_second(rate: float) -> float:
    return rate / _ticks_feed(rate, 1).market(_PARTITIONS).frame_ticks


def _feed_features(watching: Watch, variables: dict[str, str], rate: float, seconds: float) -> Watched:
    sizes = (f"--tickers={_MARKET_TICKERS}", f"--rate={rate}", f"--seconds={seconds}")
    return watching.module("benchmarks.feature_feeder", variables, *sizes)


def _announce_models(settings: Settings, _rate: float) -> dict[str, object]:
    """Begin with a set of all members, trained where there is none."""
    own: dict[str, object] = {"interval": "1d", "models_directory": _MODELS}
    trained_set(_MODELS)
    announce(settings.model_copy(update={"interval": "1d"}), _MODELS)
    return own


def _train_before(_settings: Settings, _rate: float) -> dict[str, object]:
    """Have the set that the feed predicts with, or it would train one while its time runs."""
    trained_set(_MODELS)
    return {"interval": "1d"}


def _feed_predictions(watching: Watch, variables: dict[str, str], rate: float, seconds: float) -> Watched:
    sizes = (f"--tickers={_MARKET_TICKERS}", f"--rate={rate}", f"--seconds={seconds}")
    return watching.module("benchmarks.gateway.prediction_feed", variables, *sizes)


def _visit_gateway(watching: Watch, variables: dict[str, str], seconds: float) -> Watched:
    address = f"127.0.0.1:{variables['TICKCAST_GATEWAY_PORT']}"
    sizes = (f"--address={address}", f"--tickers={_MARKET_TICKERS}", f"--seconds={seconds}")
    return watching.module("benchmarks.gateway.comings_and_goings", variables, *sizes)


PARTS: dict[str, Part] = {
    "feature_stream": Part(
        "feature_stream", TICKS_ABSORBED, 50_000, _fill_windows, _feed_ticks, _frames_per_second, (TICKS, FEATURES)
    ),
    "predictor": Part(
        "predictor",
        PREDICTIONS_MADE,
        500,
        _announce_models,
        _feed_features,
        float,
        (FEATURES, PREDICTIONS, PREDICTIONS_LATEST),
        most_memory_mib=300,
    ),
    "gateway": Part(
        "gateway",
        RECORDS_TAKEN,
        500,
        _train_before,
        _feed_predictions,
        float,
        (PREDICTIONS_LATEST,),
        most_memory_mib=300,
        visit=_visit_gateway,
    ),
}


def soak(part: Part, minutes: float, rate: float) -> list[Verdict]:
    """Run a part for so long, printing how it stands, and judge."""
    with (
        local_kafka() as node,
        fresh_topics(node.ports.bootstrap_servers, _PARTITIONS) as settings,
        watch() as watching,
    ):
        _bound(settings, part.bounded)
        own = part.prepare(settings, rate)
        port, database = next(free_ports()), node.folder.root / "tickcast.db"
        addresses = {"metrics_port": port, "gateway_port": port, "database_url": f"sqlite:///{database}"}
        variables = environment(settings, **(addresses | own))
        watched = watching.module(part.module, variables)
        feeder = part.feed(watching, variables, rate, 60 * minutes + _START_SECONDS)
        watched.wait_for(lambda: watched.metric(part.done.name) > 0, "the first work")
        others = [feeder, *([part.visit(watching, variables, 60 * minutes + _START_SECONDS)] if part.visit else [])]
        samples = list(_samples(part, watched, others, node.folder, 60 * minutes))
    arriving = part.records_per_second(rate)
    return verdicts(samples, rate, arriving, _most_disk_bytes(part, samples), part.most_memory_mib)


def _bound(settings: Settings, topics: Sequence[Topic]) -> None:
    for topic in topics:
        configure(
            settings,
            topic,
            {
                "retention.bytes": str(_RETENTION_BYTES),
                "segment.bytes": str(_SEGMENT_BYTES),
                "file.delete.delay.ms": "1000",
            },
        )


def _samples(
    part: Part, watched: Watched, others: Sequence[Watched], folder: NodeFolder, seconds: float
) -> Iterator[Sample]:
    began = time.monotonic()
    every_seconds = seconds / _SAMPLES
    for number in range(_SAMPLES + 1):
        time.sleep(max(0.0, began + number * every_seconds - time.monotonic()))
        for other in others:
            other.require_alive()
        sample = Sample(
            time.monotonic() - began,
            watched.metric(part.done.name),
            watched.metric(LAG_RECORDS.name),
            watched.resident_bytes(),
            _disk_bytes(folder),
        )
        if number % (_SAMPLES // 30) == 0:
            print(sample.text(), flush=True)
        if sample.done_total:  # else its metrics did not come within their time limit
            yield sample


def _disk_bytes(folder: NodeFolder) -> int:
    """Count the blocks in use: Kafka makes its index files at full size, with nothing in them."""
    total = 0
    for file in folder.data.rglob("*"):
        with suppress(FileNotFoundError):  # deleted meanwhile
            total += file.stat().st_blocks * 512
    return total


def _most_disk_bytes(part: Part, samples: Sequence[Sample]) -> float:
    """Say what retention allows: its bound and a segment a partition, and what is written until it looks again."""
    kept = len(part.bounded) * _PARTITIONS * (_RETENTION_BYTES + _SEGMENT_BYTES)
    early = [sample for sample in samples if sample.at_seconds < _RETENTION_LOOK_SECONDS / 2]
    grown = early[-1].disk_bytes - early[0].disk_bytes
    written_per_second = grown / (early[-1].at_seconds - early[0].at_seconds)
    return kept + written_per_second * _RETENTION_LOOK_SECONDS + _OTHER_BYTES


def main() -> None:
    """Soak one part; the exit code is the verdict."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, help="ticks, or final features, a second")
    options = parser.parse_args()
    part = PARTS[options.part]
    judged = soak(part, options.minutes, options.rate or part.rate)
    print(*(verdict.text() for verdict in judged), sep="\n")
    sys.exit(0 if all(verdict.passed for verdict in judged) else 1)


if __name__ == "__main__":
    main()
