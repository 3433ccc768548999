"""Partitions that move while there is a load, and a broker that goes away: nothing is lost, nothing is said twice."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.kafka.jars import UnavailableError
from schemas.broker import wait_until
from schemas.topics import TICKER_STATES_CHANGELOG, TICKS
from tests.brokers import BrokerUnderTest
from tests.chaos.killable_kafka import KillableKafka
from tests.feature_stream.simulation import PARTITIONS, market_frames
from tests.feature_stream.stages import (
    assert_no_record_speaks_of_states_that_are_not_there,
    assert_says_what_the_log_says,
    feed,
    feed_until,
    is_kept_through,
    loaded,
    start_stage,
    wait_until_all_is_kept,
)
from tests.processes import Processes, ServiceProcess
from tests.servers import missing_kafka

pytestmark = pytest.mark.integration

SESSION_SECONDS = 6.0
#: By default longer than the session (6 s) and than the producer's patience (4 s), and no more, to be quick.
AWAY_SECONDS = float(os.environ.get("BROKER_AWAY_SECONDS", "20"))


@pytest.mark.parametrize("store", ["memory", "rocksdb"])
def test_partitions_that_move_to_another_worker_and_back_while_there_is_a_load(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random, store: str
) -> None:
    frames = market_frames(rng, tickers=20, minutes=10_000)
    own = {"state_store": store, "session_timeout_seconds": SESSION_SECONDS}
    home = start_stage(processes, kafka, instance="home", **own)
    feed_until(kafka, frames, lambda: len(loaded(home)) == PARTITIONS, what="the first worker holding all")

    def visit(name: str) -> ServiceProcess:
        before = len(loaded(home))
        guest = start_stage(processes, kafka, instance=name, **own)

        def shared() -> bool:
            return guest.metric("tickcast_ticks_absorbed_total") > 0 and len(loaded(home)) > before

        feed_until(kafka, frames, shared, what=f"{name} taking its part")
        before = len(loaded(home))
        assert guest.stop() == 0
        feed_until(kafka, frames, lambda: len(loaded(home)) >= before + PARTITIONS, what="all coming back")
        return guest

    guests = [visit("guest-1"), visit("guest-2")]
    feed(kafka, islice(frames, 6 * PARTITIONS))
    assert_says_what_the_log_says(kafka)
    assert_no_record_speaks_of_states_that_are_not_there(wait_until_all_is_kept(kafka))
    for guest in guests:
        assert "begins again" not in guest.output()
        assert 0 < len(loaded(guest)) < PARTITIONS
    moved = {partition for guest in guests for partition, _ in loaded(guest)}
    for partition in moved:
        offsets = [offset for number, offset in loaded(home) if number == partition]
        visits = [offset for guest in guests for number, offset in loaded(guest) if number == partition]
        assert offsets == sorted(offsets)
        assert offsets[0] < visits[0] < offsets[-1], "it was elsewhere meanwhile, and went on there"
    assert "begins again" not in home.output()


def test_workers_come_and_die_while_there_is_a_load(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    frames = market_frames(rng, tickers=20, minutes=10_000)

    def start(name: str) -> ServiceProcess:
        worker = start_stage(processes, kafka, instance=name, session_timeout_seconds=SESSION_SECONDS)
        feed_until(kafka, frames, lambda: worker.metric("tickcast_ticks_absorbed_total") > 0, what=f"{name} absorbing")
        return worker

    first, second = start("first"), start("second")
    first.kill()
    third = start("third")
    second.kill()
    third.kill()
    start("fourth")
    feed(kafka, islice(frames, 6 * PARTITIONS))
    assert_says_what_the_log_says(kafka)
    assert_no_record_speaks_of_states_that_are_not_there(wait_until_all_is_kept(kafka))


class AwayKafka(KillableKafka):
    """A Kafka that only one test uses, and that goes away and comes back with its data, on its port."""

    def stand_still(self, seconds: float) -> None:
        """Answer nothing for a while: the network is cut, or the machine is stopped."""
        self._node.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)  # the fault itself, no waiting for something
        self._node.process.send_signal(signal.SIGCONT)
        wait_until(self._serves, seconds=120, what="Kafka serving again")

    def be_away(self, seconds: float) -> None:
        """Die, and come back after a while."""
        self.kill()
        time.sleep(seconds)
        self.start_again()

    def _serves(self) -> bool:
        admin = AdminClient({"bootstrap.servers": self.server.bootstrap_servers, "log_level": 0})
        with suppress(KafkaException):
            topics = admin.list_topics(timeout=5).topics.values()
            return all(place.leader >= 0 for topic in topics for place in topic.partitions.values())
        return False


@pytest.fixture
def away_kafka(tmp_path: Path) -> Iterator[AwayKafka]:
    try:
        node = AwayKafka(tmp_path)
    except UnavailableError as error:
        missing_kafka(str(error))
        raise
    yield node
    node.stop()


@pytest.mark.parametrize("fault", [AwayKafka.stand_still, AwayKafka.be_away])
def test_a_broker_that_is_away_for_longer_than_all_patience_costs_time_and_nothing_else(
    away_kafka: AwayKafka, processes: Processes, rng: random.Random, fault: Callable[[AwayKafka, float], None]
) -> None:
    kafka = BrokerUnderTest(away_kafka.server, session_timeout_seconds=SESSION_SECONDS)
    kafka.create_topics()
    frames = market_frames(rng, tickers=20, minutes=10_000)
    stages = [start_stage(processes, kafka)]
    feed_until(kafka, frames, lambda: stages[0].metric("tickcast_ticks_absorbed_total") > 0, what="the stage absorbing")
    feed(kafka, islice(frames, 60 * PARTITIONS))
    fault(away_kafka, AWAY_SECONDS)
    feed(kafka, islice(frames, 60 * PARTITIONS))
    ends = {number: end - 1 for number, end in kafka.ends(TICKS).items()}

    def all_is_kept_by_whoever_lives() -> bool:
        if not stages[-1].alive():  # started again, as a supervisor does
            assert stages[-1].wait() == 1
            stages.append(start_stage(processes, kafka))
        return is_kept_through(ends)(kafka.read(TICKER_STATES_CHANGELOG))

    wait_until(all_is_kept_by_whoever_lives, seconds=180, what="all being kept", every_seconds=0.5)
    assert_says_what_the_log_says(kafka)
    assert_no_record_speaks_of_states_that_are_not_there(wait_until_all_is_kept(kafka))
