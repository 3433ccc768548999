"""The feature stage as a process: what it says is what the log says, whatever happens to it."""

import random
import re
import signal
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from feature_stream.frames import read_frame
from schemas.broker import wait_until
from schemas.errors import EXIT_STOP_AND_SAY
from schemas.events import TickFrame
from schemas.partitioning import partition_of
from schemas.topics import BARS, DEAD_LETTERS, FEATURES, TICKER_STATES_CHANGELOG, TICKS
from tests.brokers import BrokerUnderTest, Record
from tests.feature_stream.simulation import PARTITIONS, START_NS, market_frames
from tests.feature_stream.stages import assert_says_what_the_log_says, every_partition_is_kept, feed, start_stage
from tests.processes import Processes

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]


def test_bars_and_final_features_are_those_of_the_pure_functions(
    broker: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    stage = start_stage(processes, broker)
    feed(broker, list(market_frames(rng, tickers=20, minutes=40)))
    assert_says_what_the_log_says(broker)
    stage.wait_until_healthy()
    assert stage.stop() == 0


def test_provisional_features_equal_what_the_log_says_at_their_offset(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    start_stage(processes, kafka)
    feed(kafka, list(market_frames(rng, tickers=8, minutes=3))[: -3 * PARTITIONS])
    assert_says_what_the_log_says(kafka)
    records = kafka.read(FEATURES, lambda read: any(not record.event().final for record in read))
    provisional = [record.event() for record in records if not record.event().final]
    log = {(record.partition, record.offset): read_frame(record.value).frame for record in kafka.read(TICKS)}
    for event in provisional:
        frame = log[event.source_partition, event.source_offset]
        assert event.ticker in frame.tickers
        assert event.current_price == event.bar.close
        bar_ticks = [
            (time_ns, price)
            for (partition, offset), other in log.items()
            if partition == event.source_partition and offset <= event.source_offset
            for ticker, time_ns, price in zip(other.tickers, other.times_ns, other.prices, strict=True)
            if ticker == event.ticker and event.bar.start_ns <= time_ns < event.bar.end_ns
        ]
        assert event.bar.tick_count == len(bar_ticks)
        assert event.current_price == max(bar_ticks)[1]
        assert event.bar.high == max(price for _, price in bar_ticks)


@pytest.mark.parametrize("store", ["memory", "rocksdb"])
def test_a_killed_stage_begins_where_its_table_stands(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random, store: str
) -> None:
    frames = list(market_frames(rng, tickers=20, minutes=60))
    third = len(frames) // 3
    first = start_stage(processes, kafka, state_store=store)
    feed(kafka, frames[:third])
    kafka.read(TICKER_STATES_CHANGELOG, every_partition_is_kept)
    first.kill()
    second = start_stage(processes, kafka, state_store=store)
    feed(kafka, frames[third : 2 * third])
    second.wait_for(lambda: second.metric("tickcast_ticks_absorbed_total") > 0, what="absorbing ticks")
    assert second.stop() == 0
    third_life = start_stage(processes, kafka, state_store=store)
    feed(kafka, frames[2 * third :])
    assert_says_what_the_log_says(kafka)
    for life in (second, third_life):
        loaded = re.findall(r"partition \d: (\d+) tickers, offset (-?\d+)", life.output())
        assert len(loaded) >= PARTITIONS
        assert all(int(tickers) > 0 and int(offset) >= 0 for tickers, offset in loaded), life.output()


@pytest.mark.parametrize("share", [0.1, 1.0], ids=["some", "all that there are"])
def test_records_that_the_consumer_loses_are_read_again(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random, share: float
) -> None:
    environment = kafka.environment(interval="1m", update_interval_ms=50) | {"PYTHONPATH": str(REPOSITORY)}
    stage = processes.start("tests.feature_stream.dropping_stage", str(share), environment=environment)
    feed(kafka, list(market_frames(rng, tickers=20, minutes=20)))
    assert_says_what_the_log_says(kafka)
    assert stage.metric("tickcast_gaps_healed_total") > 0
    assert stage.metric("tickcast_records_lost_total") == 0


def test_two_workers_share_the_partitions_and_one_takes_over_from_the_other(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    frames = market_frames(rng, tickers=20, minutes=1_000)
    workers = [start_stage(processes, kafka, instance=f"worker-{number}") for number in range(2)]

    def both_absorb() -> bool:
        feed(kafka, list(islice(frames, PARTITIONS)))
        return all(worker.metric("tickcast_ticks_absorbed_total") for worker in workers)

    wait_until(both_absorb, seconds=60, what="both workers absorbing")
    workers[0].send(signal.SIGSTOP)
    feed(kafka, list(islice(frames, 50 * PARTITIONS)))
    assert_says_what_the_log_says(kafka)
    workers[0].send(signal.SIGCONT)
    assert workers[0].wait() == 1
    assert "begins again" in workers[0].output()
    assert_says_what_the_log_says(kafka)


def _frame_json(**changes: Any) -> dict[str, Any]:
    ticker = "GOOD"
    frame = TickFrame(
        source="bad",
        sequence=0,
        position="",
        tickers=[ticker],
        times_ns=[START_NS],
        prices=[1.0],
        sizes=[1.0],
        ingested_at_ns=START_NS,
    )
    return {**msgspec.to_builtins(frame), **changes}


def _three(**changes: Any) -> dict[str, Any]:
    columns = {"tickers": ["GOOD"] * 3, "times_ns": [START_NS] * 3, "prices": [1.0] * 3, "sizes": [1.0] * 3}
    return _frame_json(**(columns | changes))


_WRONG_HOME = next(t for t in ("AAA", "BBB", "CCC") if partition_of(t, PARTITIONS) != partition_of("GOOD", PARTITIONS))

BAD_RECORDS: dict[str, tuple[bytes, str, int]] = {
    "garbage": (b"\x00not json", "undecodable", 0),
    "nothing": (b"", "undecodable", 0),
    "garbage as large as records can be": (b"x" * 999_900, "cut", 0),
    "a missing column": (
        msgspec.json.encode({k: v for k, v in _frame_json(sequence=1).items() if k != "prices"}),
        "prices",
        0,
    ),
    "a price that is NaN": (
        msgspec.json.encode(_three(sequence=2, prices=[1.0, 7.5, 1.0])).replace(b"7.5", b"NaN"),
        "price",
        2,
    ),
    "a position as long as a record can be": (
        msgspec.json.encode(_three(position="p" * 500_000, prices=[1.0, None, 1.0])),
        "position",
        0,
    ),
    "a wrong ticker": (msgspec.json.encode(_three(sequence=3, tickers=["GOOD", "no good", "GOOD"])), "ticker", 2),
    "a ticker of another partition": (
        msgspec.json.encode(_three(sequence=4, tickers=["GOOD", _WRONG_HOME, "GOOD"])),
        "partition",
        2,
    ),
    "a negative size": (msgspec.json.encode(_three(sequence=5, sizes=[1.0, -1.0, 1.0])), "size", 2),
}


def _offset_of(letter: Record) -> int:
    return int(letter.headers["dead_letter_offset"])


def test_what_is_bad_goes_to_dead_letters_and_the_good_beside_it_is_kept(
    broker: BrokerUnderTest, processes: Processes
) -> None:
    stage = start_stage(processes, broker)
    home = partition_of("GOOD", PARTITIONS)
    for value, _, _ in BAD_RECORDS.values():
        broker.produce(TICKS, value, partition=home)
    unknown_field = msgspec.json.encode(_three(sequence=6, a_field_of_the_future=[1, 2]))
    close = _frame_json(sequence=7, tickers=[], times_ns=[], prices=[], sizes=[], watermark_ns=START_NS + 60 * 10**9)
    broker.produce(TICKS, unknown_field, msgspec.json.encode(close), partition=home)
    [bar] = [record.event() for record in broker.read(BARS, 1)]
    good = sum(kept for _, _, kept in BAD_RECORDS.values()) + 3
    assert (bar.ticker, bar.tick_count) == ("GOOD", good)
    letters = sorted(broker.read(DEAD_LETTERS, len(BAD_RECORDS)), key=_offset_of)
    reasons = [letter.headers["dead_letter_reason"].decode() for letter in letters]
    assert len(reasons) == len(BAD_RECORDS)
    for reason, (value, wanted, kept), letter in zip(reasons, BAD_RECORDS.values(), letters, strict=True):
        assert wanted in reason
        assert letter.headers["dead_letter_partition"] == str(home).encode()
        if kept == 0:
            assert (letter.value or b"") == value[:900_000]
        else:
            assert letter.headers["dead_letter_index"] == b"1"
    assert stage.alive()


def test_records_that_retention_took_are_counted_and_the_bars_open_across_them_are_partial(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    frames = [frame for partition, frame in market_frames(rng, tickers=20, minutes=6) if partition == 0]
    stage = start_stage(processes, kafka)
    kafka.produce(TICKS, *frames[:9], partition=0)  # a minute and a half: bars are open
    kafka.read(TICKER_STATES_CHANGELOG, lambda read: any(record.key == b"@0" for record in read))
    assert stage.stop() == 0
    kafka.produce(TICKS, *frames[9:], partition=0)
    kafka.trim(TICKS, 0, before_offset=14)
    again = start_stage(processes, kafka)
    last = frames[-1].watermark_ns
    records = kafka.read(BARS, lambda read: any(record.event().end_ns == last for record in read))
    bars = [record.event() for record in records]
    minute = START_NS + 60 * 10**9
    assert {bar.partial for bar in bars if bar.start_ns == START_NS} == {False}
    assert {bar.partial for bar in bars if bar.start_ns == minute} == {True}
    assert {bar.partial for bar in bars if bar.start_ns >= START_NS + 180 * 10**9} == {False}
    assert again.metric("tickcast_records_lost_total") == 5


def test_a_log_that_ends_before_the_state_is_another_log(kafka: BrokerUnderTest, processes: Processes) -> None:
    frame = TickFrame(
        source="a", sequence=0, position="", tickers=[], times_ns=[], prices=[], sizes=[], ingested_at_ns=START_NS
    )
    stage = start_stage(processes, kafka)
    kafka.produce(TICKS, frame, msgspec.structs.replace(frame, sequence=1), partition=0)
    kafka.read(TICKER_STATES_CHANGELOG, 1)
    assert stage.stop() == 0
    kafka.replace_topic(TICKS)
    again = start_stage(processes, kafka)
    assert again.wait() == EXIT_STOP_AND_SAY
    assert "--fresh" in again.output()


def test_a_missing_topic_stops_with_one_line(make_kafka: Callable[..., BrokerUnderTest], processes: Processes) -> None:
    stage = start_stage(processes, make_kafka(create=False))
    assert stage.wait() == EXIT_STOP_AND_SAY
    assert "is missing" in stage.output()
