"""Changelogs as compaction, a late writer or another version leave them: read back whole, or refused."""

import random
from collections.abc import Callable, Mapping

import msgspec
import pytest

from feature_stream.table import offset_of, partition_key, snapshot_of, with_offset
from schemas.errors import EXIT_STOP_AND_SAY
from schemas.events import TickFrame
from schemas.topics import TICKER_STATES_CHANGELOG, TICKS
from tests.brokers import BrokerUnderTest, Record
from tests.feature_stream.simulation import PARTITIONS, market_frames
from tests.feature_stream.stages import (
    assert_says_what_the_log_says,
    feed,
    newest_offsets,
    partition_record,
    start_stage,
    wait_until_all_is_kept,
)
from tests.processes import Processes

pytestmark = pytest.mark.integration

QUIET = "T0007"

Frames = list[tuple[int, TickFrame]]


def _without(ticker: str, frames: Frames) -> Frames:
    return [(home, _without_ticker(ticker, frame)) for home, frame in frames]


def _without_ticker(ticker: str, frame: TickFrame) -> TickFrame:
    kept = [index for index, name in enumerate(frame.tickers) if name != ticker]
    columns = ("tickers", "times_ns", "prices", "sizes")
    return msgspec.structs.replace(frame, **{name: [getattr(frame, name)[i] for i in kept] for name in columns})


def _compact(kafka: BrokerUnderTest, instead: Mapping[bytes, bytes] | None = None) -> None:
    """Leave only the last record of each key, as compaction does.

    Args:
        instead: Values to be the last of their keys: they came late.
    """
    last: dict[bytes, Record] = {}
    for record in sorted(kafka.read(TICKER_STATES_CHANGELOG), key=lambda record: (record.partition, record.offset)):
        assert record.key is not None
        last[record.key] = record
    kafka.replace_topic(TICKER_STATES_CHANGELOG)
    for key, record in last.items():
        value = (instead or {}).get(key, record.value)
        kafka.produce(TICKER_STATES_CHANGELOG, value, key=key, partition=record.partition)


def _a_quiet_ticker(kafka: BrokerUnderTest, processes: Processes, frames: Frames) -> list[Record]:
    """Let a stage keep two parts of a market, the second without one ticker; give the changelog."""
    stage = start_stage(processes, kafka)
    feed(kafka, frames[: 30 * PARTITIONS])
    wait_until_all_is_kept(kafka)
    feed(kafka, _without(QUIET, frames[30 * PARTITIONS : 60 * PARTITIONS]))
    changelog = wait_until_all_is_kept(kafka)
    assert stage.stop() == 0
    return changelog


@pytest.mark.parametrize("compacted", [False, True])
def test_a_quiet_ticker_goes_on_from_a_state_that_was_written_long_before_the_last_checkpoint(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random, compacted: bool
) -> None:
    frames = list(market_frames(rng, tickers=20, minutes=15))
    newest = newest_offsets(_a_quiet_ticker(kafka, processes, frames))
    home = next(home for home, frame in frames if QUIET in frame.tickers)
    assert newest[QUIET.encode()] <= 30
    assert newest[partition_key(home)] == 59
    if compacted:
        _compact(kafka)
    again = start_stage(processes, kafka)
    feed(kafka, frames[60 * PARTITIONS :])
    assert_says_what_the_log_says(kafka)
    assert "the changelog lost" not in again.output()


def _an_old_state_after_the_newer_one(kafka: BrokerUnderTest, processes: Processes, frames: Frames) -> list[Record]:
    """Let a stage keep two parts of a market, and one ticker's old state come last; give the first part's changelog."""
    stage = start_stage(processes, kafka)
    feed(kafka, frames[: 12 * PARTITIONS])
    early = wait_until_all_is_kept(kafka)
    old = {QUIET.encode(): value for record in early if record.key == QUIET.encode() and (value := record.value)}
    feed(kafka, frames[12 * PARTITIONS : 30 * PARTITIONS])
    wait_until_all_is_kept(kafka)
    assert stage.stop() == 0
    _compact(kafka, instead=old)
    return early


def test_an_old_state_that_outlived_the_newer_one_is_noticed_and_the_log_is_read_again(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    frames = list(market_frames(rng, tickers=20, minutes=20))
    _an_old_state_after_the_newer_one(kafka, processes, frames)
    feed(kafka, _without(QUIET, frames[30 * PARTITIONS : 60 * PARTITIONS]))
    again = start_stage(processes, kafka)
    wait_until_all_is_kept(kafka)
    assert f"the changelog lost the newest states of ['{QUIET}']" in again.output()
    again.kill()
    last = start_stage(processes, kafka)
    feed(kafka, frames[60 * PARTITIONS :])
    assert_says_what_the_log_says(kafka)
    assert "the changelog lost" not in last.output()


def test_an_old_state_whose_ticks_are_gone_is_a_loss_that_is_counted_and_said(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    frames = list(market_frames(rng, tickers=20, minutes=10))
    home = next(home for home, frame in frames if QUIET in frame.tickers)
    early = _an_old_state_after_the_newer_one(kafka, processes, frames)
    kafka.trim(TICKS, home, before_offset=20)
    again = start_stage(processes, kafka)
    feed(kafka, frames[30 * PARTITIONS :])
    wait_until_all_is_kept(kafka)
    lost = 20 - 1 - newest_offsets(early)[QUIET.encode()]
    assert again.metric("tickcast_records_lost_total") == lost > 0
    assert again.stop() == 0
    last = start_stage(processes, kafka)
    last.wait_until_healthy()
    assert "the changelog lost" not in last.output()


def _records_rewritten(kafka: BrokerUnderTest, rewrite: Callable[[list], list]) -> dict[bytes, bytes]:  # type: ignore[type-arg]
    """Give every partition's record with its snapshot's parts, the version first, made other ones."""
    rewritten = {}
    for record in sorted(kafka.read(TICKER_STATES_CHANGELOG), key=lambda record: record.offset):
        if partition_record(record) is not None:
            assert record.key is not None
            assert record.value is not None
            parts = rewrite(msgspec.msgpack.decode(snapshot_of(record.value)))
            rewritten[record.key] = with_offset(offset_of(record.value), msgspec.msgpack.encode(parts))
    return rewritten


def _a_kept_changelog(kafka: BrokerUnderTest, processes: Processes, frames: Frames) -> None:
    stage = start_stage(processes, kafka)
    feed(kafka, frames)
    wait_until_all_is_kept(kafka)
    assert stage.stop() == 0


def test_a_changelog_of_the_previous_version_is_read_and_written_on_in_the_new_one(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    frames = list(market_frames(rng, tickers=20, minutes=20))
    _a_kept_changelog(kafka, processes, frames[: 60 * PARTITIONS])
    _compact(kafka, instead=_records_rewritten(kafka, lambda parts: [1, *parts[1:5]]))
    stage = start_stage(processes, kafka)
    feed(kafka, frames[60 * PARTITIONS :])
    assert_says_what_the_log_says(kafka)
    newest = {record.key: record for record in wait_until_all_is_kept(kafka)}
    for number in range(PARTITIONS):
        said = partition_record(newest[partition_key(number)])
        assert said is not None
        assert set(said.kept) == {ticker for home, frame in frames if home == number for ticker in frame.tickers}
    assert stage.stop() == 0


def test_a_changelog_of_a_newer_version_is_refused_with_the_fix(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    frames = list(market_frames(rng, tickers=20, minutes=2))
    _a_kept_changelog(kafka, processes, frames)
    _compact(kafka, instead=_records_rewritten(kafka, lambda parts: [parts[0] + 1, *parts[1:]]))
    stage = start_stage(processes, kafka)
    assert stage.wait() == EXIT_STOP_AND_SAY
    assert (
        "a partition's record in the changelog is of snapshot version 3, this Tickcast reads 1 to 2" in stage.output()
    )
    assert "--fresh" in stage.output()
