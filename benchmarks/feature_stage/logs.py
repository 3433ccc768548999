"""Input logs that many runs read, and outputs that each run has for itself."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from benchmarks.cluster import environment, fresh_topics
from benchmarks.feature_stage.contestants import Contestant
from benchmarks.feature_stage.inputs import records
from benchmarks.market import Market
from benchmarks.topic_tools import messages
from deploy.kafka.ports import free_ports
from deploy.topics import create_topics, delete_topics
from schemas.events import TickFrame
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS, FEATURES, TICKS

_FLUSH_SECONDS = 120


@dataclass(frozen=True)
class InputLog:
    """A log of `ticks`, filled once.

    Attributes:
        settings: Lead to it.
        warm_up_ticks: At its beginning.
        total_ticks: In it.
    """

    settings: Settings
    warm_up_ticks: int
    total_ticks: int

    def read_once(self) -> None:
        """Bring the log into memory: who reads it first would pay for the disk, and the others would not."""
        for _ in messages(self.settings, TICKS):
            pass


@contextmanager
def input_log(address: str, market: Market, contestant: Contestant) -> Iterator[InputLog]:
    """Fill a log with a market in the shape that a contestant reads; it is deleted after."""
    with fresh_topics(address, market.partitions) as settings:
        append(settings, market.frames(), contestant)
        yield InputLog(settings, market.warm_up_ticks, market.total_ticks)


def append(
    settings: Settings,
    frames: Iterator[tuple[int, TickFrame]],
    contestant: Contestant,
    *,
    firsts: dict[int, int] | None = None,
) -> None:
    """Write frames to `ticks` as a contestant reads them.

    Args:
        settings: Of the log.
        frames: (partition, frame).
        contestant: Decides their shape.
        firsts: Ticks by partition so far, for a log that goes on; is updated.
    """
    producer = Producer(
        settings.kafka_config()
        | {"linger.ms": 20, "batch.size": 262_144, "queue.buffering.max.messages": 500_000, "compression.type": "none"}
    )
    name = settings.topic_prefix + TICKS.name
    firsts = {} if firsts is None else firsts
    for partition, frame in frames:
        for record in records(contestant, partition, frame, firsts.get(partition, 0)):
            _produce(producer, name, record.value, record.key, record.partition)
        firsts[partition] = firsts.get(partition, 0) + len(frame.tickers)
        producer.poll(0)
    left = producer.flush(_FLUSH_SECONDS)
    assert left == 0, f"{left} records were not taken"


def _produce(producer: Producer, name: str, value: bytes, key: bytes | None, partition: int) -> None:
    while True:
        try:
            producer.produce(name, value, key, partition=partition)
            return
        except BufferError:
            producer.poll(0.05)


@dataclass(frozen=True)
class Run:
    """One run over a log: names, folder and variables of its own.

    Attributes:
        settings: Of the log.
        name: Goes into consumer groups and instances.
        folder: For state on disk.
    """

    settings: Settings
    name: str
    folder: Path

    @cached_property
    def _admin(self) -> AdminClient:
        """Give one client for all looks: a new one's connection may take seconds, beside a busy broker."""
        return AdminClient(self.settings.kafka_config() | {"log_level": 0})

    def variables(self, worker: int = 0, **more: object) -> dict[str, str]:
        """Give the variables of one worker's process; its port is `TICKCAST_METRICS_PORT`."""
        return environment(
            self.settings,
            metrics_port=next(free_ports()),
            instance=f"{self.name}-{worker}",
            data_directory=self.folder / f"state-{worker}",
            log_level="warning",
            **more,
        )

    def features_total(self) -> int:
        """Count the records of `features`."""
        name = self.settings.topic_prefix + FEATURES.name
        wanted = {TopicPartition(name, number): OffsetSpec.latest() for number in range(self.settings.partitions)}
        return sum(future.result().offset for future in self._admin.list_offsets(wanted).values())


@contextmanager
def fresh_run(settings: Settings) -> Iterator[Run]:
    """Give a run over a log, with empty outputs; what it leaves on the broker is deleted."""
    name = f"run-{uuid.uuid4().hex[:8]}"
    with TemporaryDirectory() as folder:
        try:
            yield Run(settings, name, Path(folder))
        finally:
            ours = [settings.topic_prefix + topic.name for topic in ALL_TOPICS if topic is not TICKS]
            admin = AdminClient(settings.kafka_config() | {"log_level": 0})
            # Quix names its changelogs after its group, and so after the run.
            made = [topic for topic in admin.list_topics(timeout=30).topics if name in topic]
            delete_topics(settings, ours + made)
            create_topics(settings)
