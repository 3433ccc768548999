"""One worker is killed under load: how long until another one, or itself again, has caught up, and what took it."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Consumer, ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient
from msgspec import Struct

from benchmarks.cluster import environment
from benchmarks.feeder import Feed
from benchmarks.topic_tools import places, reader
from benchmarks.watched import EndedError, Watch, Watched
from deploy.kafka.ports import free_ports
from schemas.codec import decoder
from schemas.settings import Settings
from schemas.times import NS_PER_MILLISECOND
from schemas.topics import FEATURE_STAGE, FEATURES

_FRESH_NS = 500 * NS_PER_MILLISECOND
_LOOK_SECONDS = 0.05
_FEED_AT_MOST_SECONDS = 1_800.0
#: Standby replicas copy the changelog meanwhile.
_SETTLE_SECONDS = 10.0
_GIVE_UP_SECONDS = 300.0


@dataclass(frozen=True)
class Setup:
    """How the stage runs.

    Attributes:
        workers: With one, it is started again at once, as a supervisor would; with two, the other one takes over.
    """

    name: str
    state_store: str
    workers: int
    standby_replicas: int


@dataclass(frozen=True)
class Takeover:
    """Seconds, one after the other.

    Attributes:
        detection: From the kill until the group has given the partitions away; the session timeout is in it, and the
            start of the process where it is started again.
        table: Until the states are read back.
        catching_up: Until each partition has told of a tick that is younger than half a second.
    """

    detection: float
    table: float
    catching_up: float

    @property
    def total(self) -> float:
        """Give them together."""
        return self.detection + self.table + self.catching_up


class _Told(Struct):
    source_partition: int
    ingested_at_ns: int


@dataclass
class _Freshness:
    """Which partitions tell of young ticks."""

    consumer: Consumer
    partitions: set[int] = field(default_factory=set)

    def hear(self, seconds: float) -> None:
        """Listen for so long."""
        decode, until = decoder(_Told), time.monotonic() + seconds
        while time.monotonic() < until:
            message = self.consumer.poll(seconds)
            if message is None or message.error():
                continue
            told = decode(message.value())
            if time.time_ns() - told.ingested_at_ns < _FRESH_NS:
                self.partitions.add(told.source_partition)


class _Group:
    """The stage's consumer group, from outside."""

    def __init__(self, settings: Settings) -> None:
        self._admin = AdminClient(settings.kafka_config() | {"log_level": 0})
        self._name = settings.topic_prefix + FEATURE_STAGE

    def members(self) -> frozenset[str]:
        """Give the ids of the members; none while partitions move, or before the group has a coordinator."""
        (future,) = self._admin.describe_consumer_groups([self._name], request_timeout=10).values()
        try:
            found = future.result()
        except KafkaException:
            return frozenset()
        if found.state != ConsumerGroupState.STABLE:
            return frozenset()
        return frozenset(member.member_id for member in found.members)


def take_over(settings: Settings, setup: Setup, watching: Watch, folder: Path, tickers: int, rate: float) -> Takeover:
    """Start the workers and the load, kill a worker, and follow what comes.

    Args:
        folder: For the workers' own files.
    """
    variables = [
        environment(
            settings,
            metrics_port=next(free_ports()),
            instance=f"worker-{number}",
            state_store=setup.state_store,
            standby_replicas=setup.standby_replicas,
            data_directory=folder,
        )
        for number in range(setup.workers)
    ]
    workers = [watching.module("feature_stream", each) for each in variables]
    feed = Feed(tickers, rate, _FEED_AT_MOST_SECONDS)
    watching.module("benchmarks.feeder", environment(settings), *feed.arguments())
    fresh, group = _Freshness(reader(settings)), _Group(settings)
    fresh.consumer.assign(places(settings, FEATURES, 0))
    workers[-1].wait_for(lambda: len(group.members()) == setup.workers, "the group being whole")
    _wait_until_fresh(fresh, settings.partitions)
    fresh.hear(_SETTLE_SECONDS)
    before = group.members()
    killed_at = time.monotonic()
    workers[0].kill()
    heir = workers[1] if setup.workers > 1 else watching.module("feature_stream", variables[0])
    try:
        return _follow(heir, fresh, group, before, killed_at, settings.partitions)
    finally:
        fresh.consumer.close()


def _wait_until_fresh(fresh: _Freshness, partitions: int) -> None:
    fresh.partitions.clear()
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while len(fresh.partitions) < partitions:
        fresh.hear(_LOOK_SECONDS)
        if time.monotonic() > deadline:
            raise EndedError(f"within {_GIVE_UP_SECONDS:g} s, only {fresh.partitions} told of young ticks")


def _follow(
    heir: Watched, fresh: _Freshness, group: _Group, before: frozenset[str], killed_at: float, partitions: int
) -> Takeover:
    def wait_for_news() -> None:
        heir.require_alive()
        fresh.hear(_LOOK_SECONDS)
        if time.monotonic() - killed_at > _GIVE_UP_SECONDS:
            raise EndedError(f"nobody took over within {_GIVE_UP_SECONDS:g} s:\n{heir.words()}")

    while group.members() in (before, frozenset()):
        wait_for_news()
    detected_at = time.monotonic()
    while heir.state() != "ready":
        wait_for_news()
    ready_at = time.monotonic()
    _wait_until_fresh(fresh, partitions)
    return Takeover(detected_at - killed_at, ready_at - detected_at, time.monotonic() - ready_at)
