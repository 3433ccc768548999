"""Faults in the middle of a checkpoint, in real processes: what is kept stays whole, and nothing is lost."""

import random
import re
import signal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from feature_stream.continuity import REWINDS_THAT_PROVE_A_LOSS
from feature_stream.table import offset_of
from schemas.broker import wait_until
from schemas.codec import encode
from schemas.errors import EXIT_STOP_AND_SAY
from schemas.partitioning import partition_of
from schemas.topics import BARS, TICKER_STATES_CHANGELOG, TICKS
from tests.brokers import BrokerUnderTest, Record
from tests.feature_stream.simulation import PARTITIONS, START_NS, market_frames
from tests.feature_stream.stages import (
    assert_no_record_speaks_of_states_that_are_not_there,
    assert_says_what_the_log_says,
    every_partition_is_kept,
    feed,
    feed_until,
    loaded,
    newest_offsets,
    stands,
    start_faulty_stage,
    start_stage,
    wait_until_all_is_kept,
)
from tests.processes import Processes, ServiceProcess

pytestmark = pytest.mark.integration

#: Of tickers' states: of 20, so in the middle of the second checkpoint or a later one.
NUMBER = 27
SHORT_SESSION = {"session_timeout_seconds": 6.0}


def _fault(stage: ServiceProcess) -> tuple[str, int] | None:
    """Give the ticker and the offset of the state that the fault has hit; None before it."""
    said = re.search(r"fault: \w+ (\S+) (\d+)\n", stage.output())
    return (said[1], int(said[2])) if said else None


def _feed_until_the_fault(kafka: BrokerUnderTest, stage: ServiceProcess, frames: Any) -> tuple[str, int]:
    feed_until(kafka, frames, lambda: _fault(stage) is not None or not stage.alive(), what="the fault")
    hit = _fault(stage)
    assert hit is not None, "the stage ended before its fault"
    return hit


def _states_of(ticker: str, changelog: list[Record]) -> list[int]:
    ordered = sorted(changelog, key=lambda record: (record.partition, record.offset))
    return [offset for key, offset in map(stands, ordered) if key == ticker.encode()]


def test_a_state_that_the_changelog_does_not_take_ends_the_process_and_no_record_counts_on_it(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    frames = market_frames(rng, tickers=20, minutes=1_000)
    stage = start_faulty_stage(processes, kafka, "refused", NUMBER)
    ticker, offset = _feed_until_the_fault(kafka, stage, frames)
    assert stage.wait() == 1
    assert "this process ends itself and begins again" in stage.output()
    changelog = kafka.read(TICKER_STATES_CHANGELOG)
    assert offset not in _states_of(ticker, changelog)
    assert_no_record_speaks_of_states_that_are_not_there(changelog)
    start_stage(processes, kafka)
    feed(kafka, islice(frames, 60 * PARTITIONS))
    assert_says_what_the_log_says(kafka)
    assert_no_record_speaks_of_states_that_are_not_there(wait_until_all_is_kept(kafka))


def test_rocksdb_files_ahead_of_their_changelog_are_caught_up_with(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    frames = market_frames(rng, tickers=20, minutes=1_000)
    stage = start_faulty_stage(processes, kafka, "killed", NUMBER, state_store="rocksdb")
    ticker, offset = _feed_until_the_fault(kafka, stage, frames)
    assert stage.wait() == -signal.SIGKILL
    assert (
        _in_rocksdb(processes.folder, ticker)
        == offset
        > newest_offsets(kafka.read(TICKER_STATES_CHANGELOG))[ticker.encode()]
    )
    again = start_stage(processes, kafka, state_store="rocksdb")
    feed(kafka, islice(frames, 60 * PARTITIONS))
    assert_says_what_the_log_says(kafka)
    changelog = wait_until_all_is_kept(kafka)
    assert_no_record_speaks_of_states_that_are_not_there(changelog)
    assert "the changelog lost" not in again.output()
    assert again.stop() == 0
    elsewhere = start_stage(processes, kafka, instance="elsewhere")  # it has the changelog alone
    feed(kafka, islice(frames, 12 * PARTITIONS))
    assert_says_what_the_log_says(kafka)
    assert "the changelog lost" not in elsewhere.output()


def _in_rocksdb(folder: Path, ticker: str) -> int:
    """Give the offset at which the files of a stage that has ended keep a ticker."""
    rocksdb = pytest.importorskip("rocksdb")
    [path] = folder.rglob(f"*-{partition_of(ticker, PARTITIONS)}.db")
    value = rocksdb.DB(str(path), rocksdb.Options(), read_only=True).get(ticker.encode())
    assert value is not None
    return offset_of(value)


def test_rocksdb_files_of_another_changelog_are_refused(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    stage = start_stage(processes, kafka, state_store="rocksdb")
    feed(kafka, islice(market_frames(rng, tickers=20, minutes=5), 12 * PARTITIONS))
    kafka.read(TICKER_STATES_CHANGELOG, every_partition_is_kept)
    assert stage.stop() == 0
    kafka.replace_topic(TICKER_STATES_CHANGELOG)
    again = start_stage(processes, kafka, state_store="rocksdb")
    assert again.wait() == EXIT_STOP_AND_SAY
    assert "ahead of the changelog" in again.output()
    assert "--fresh" in again.output()


def test_a_recovery_reads_what_came_before_it_listened(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    frames = market_frames(rng, tickers=20, minutes=10_000)
    home = start_faulty_stage(processes, kafka, "slow", 0, instance="home", **SHORT_SESSION)
    feed_until(kafka, frames, lambda: len(loaded(home)) == PARTITIONS, what="the first worker holding all")
    guest = start_stage(processes, kafka, instance="guest", **SHORT_SESSION)
    feed_until(kafka, frames, lambda: len(loaded(home)) > PARTITIONS, what="the guest taking its part")
    before = len(loaded(home))
    assert guest.stop() == 0
    feed_until(kafka, frames, lambda: len(loaded(home)) >= before + PARTITIONS, what="all coming back")
    assert_says_what_the_log_says(kafka)
    assert "begins again" not in home.output()


def test_a_worker_whose_heartbeats_fail_ends_before_another_one_may_own_its_partitions(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    frames = market_frames(rng, tickers=20, minutes=1_000)
    mute = start_faulty_stage(processes, kafka, "mute", NUMBER, instance="mute", **SHORT_SESSION)
    _feed_until_the_fault(kafka, mute, frames)
    start_stage(processes, kafka, instance="heir", **SHORT_SESSION)
    feed_until(kafka, frames, lambda: not mute.alive(), what="the end of the worker without heartbeats")
    assert mute.wait() == 1
    assert "lost the place in the group" in mute.output()
    assert_says_what_the_log_says(kafka)
    by_key: dict[bytes, int] = {}
    for record in sorted(wait_until_all_is_kept(kafka), key=lambda record: (record.partition, record.offset)):
        key, offset = stands(record)
        assert by_key.get(key, -1) <= offset, "an old state came after a newer one"
        by_key[key] = offset


def test_an_old_state_that_comes_late_is_noticed_while_the_newer_one_is_still_there_and_written_over(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    frames = market_frames(rng, tickers=20, minutes=1_000)
    late = start_faulty_stage(processes, kafka, "stopped", NUMBER, instance="late", **SHORT_SESSION)
    ticker, old = _feed_until_the_fault(kafka, late, frames)
    heir = start_stage(processes, kafka, instance="heir", **SHORT_SESSION)
    feed(kafka, islice(frames, 12 * PARTITIONS))
    newest = newest_offsets(wait_until_all_is_kept(kafka))[ticker.encode()]
    assert newest > old
    late.send(signal.SIGCONT)
    assert late.wait() == 1
    kafka.read(TICKER_STATES_CHANGELOG, lambda read: _states_of(ticker, read)[-1:] == [old])
    feed_until(kafka, frames, lambda: not heir.alive(), what="the heir beginning again")
    assert heir.wait() == 1
    assert "our record is at" in heir.output()
    start_stage(processes, kafka, instance="heir", **SHORT_SESSION)
    feed(kafka, islice(frames, 12 * PARTITIONS))
    assert_says_what_the_log_says(kafka)
    wait_until_all_is_kept(kafka)
    kafka.read(TICKER_STATES_CHANGELOG, lambda read: _states_of(ticker, read)[-1:] >= [newest])


def test_a_hole_in_the_log_is_passed_once_it_is_proved_and_the_bars_open_across_it_are_partial(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    frames = [frame for partition, frame in market_frames(rng, tickers=20, minutes=6) if partition == 0]
    stage = start_stage(processes, kafka)
    kafka.produce(TICKS, *frames[:9], partition=0)
    _produce_with_a_hole_after_it(kafka, encode(frames[9]))
    kafka.produce(TICKS, *frames[10:], partition=0)
    last = frames[-1].watermark_ns
    records = kafka.read(BARS, lambda read: any(record.event().end_ns == last for record in read))
    minute = 60 * 10**9
    partial = {record.event().start_ns: record.event().partial for record in records}
    assert partial == {START_NS + number * minute: number == 1 for number in range(6)}
    assert stage.metric("tickcast_records_lost_total") == 1
    assert stage.output().count("reading again from 10") == REWINDS_THAT_PROVE_A_LOSS


def _produce_with_a_hole_after_it(kafka: BrokerUnderTest, value: bytes) -> None:
    """Write a record in a transaction: its end takes an offset, and no consumer ever gets it."""
    before = kafka.ends(TICKS)[0]
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": kafka.topic_prefix})
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce(kafka.full_name(TICKS), value, partition=0)
    producer.commit_transaction(60)
    wait_until(lambda: kafka.ends(TICKS)[0] == before + 2, seconds=60, what="the transaction's end in the log")
