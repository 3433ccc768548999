"""The settling of predictions as a process: what it says is what both logs say, whatever happens to it."""

import random
import signal
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import msgspec
import pytest

from feature_stream.healing import SILENT_SECONDS
from feature_stream.ledger import LEAST_CLOSES, SettleRules, TickerLedger
from feature_stream.outcomes.sources import MOST_WAITING
from feature_stream.settle import take_bar, take_prediction
from feature_stream.table import with_offset
from schemas.broker import wait_until
from schemas.errors import EXIT_STOP_AND_SAY
from schemas.events import Outcome
from schemas.partitioning import partition_of
from schemas.topics import (
    BARS,
    DEAD_LETTERS,
    OPEN_PREDICTIONS_CHANGELOG,
    OUTCOMES,
    PREDICTIONS,
    SERVICE_STATUS,
)
from tests.brokers import BrokerUnderTest
from tests.contents import contents
from tests.feature_stream.outcomes_runs import (
    PARTITIONS,
    TICKERS,
    assert_no_record_counts_on_ledgers_that_are_not_there,
    assert_settles_what_the_logs_call_for,
    both_logs_are_kept_after,
    events_of,
    feed,
    feed_market,
    loaded,
    market,
    start_outcomes,
    wait_until_kept,
)
from tests.feature_stream.settling import assert_as_expected, bar, prediction, reference
from tests.feature_stream.simulation import market_frames
from tests.feature_stream.stages import all_ids, assert_says_what_the_log_says, start_stage
from tests.feature_stream.stages import feed as feed_frames
from tests.processes import Processes, ServiceProcess

pytestmark = pytest.mark.integration

SESSION_SECONDS = 6.0


def _settles(service: ServiceProcess) -> bool:
    return service.metric("tickcast_outcomes_total") > 0


def _wait_until_open(service: ServiceProcess, predictions: int) -> None:
    """Wait until so many predictions are not settled: 21 of a ticker once all of both logs is absorbed."""
    service.wait_for(lambda: service.metric("tickcast_open_predictions") == predictions, what=f"{predictions} open")


def test_every_prediction_is_settled_when_its_day_comes(
    broker: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    service = start_outcomes(processes, broker)
    feed_market(broker, market(rng, range(1, 41)))
    [*_, newest] = assert_settles_what_the_logs_call_for(broker)
    service.wait_until_healthy()
    assert newest.headers["ce_type"] == b"tickcast.Outcome"
    assert newest.headers["ce_id"].decode() == newest.event().id
    assert newest.partition == partition_of(newest.event().ticker, PARTITIONS)
    _wait_until_open(service, 21 * len(TICKERS))
    assert service.stop() == 0
    told = [record.event() for record in broker.read(SERVICE_STATUS) if record.key.startswith(b"outcomes/")]  # type: ignore[union-attr]
    assert told[-1].totals["outcomes"] == len({record.event().id for record in broker.read(OUTCOMES)})


@pytest.mark.parametrize("first", ["bars", "predictions"])
def test_a_log_that_is_far_ahead_of_the_other_waits_for_it(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random, first: str
) -> None:
    pairs = list(market(rng, range(1, 40 + LEAST_CLOSES + MOST_WAITING)))
    bars, predictions = [each for each, _ in pairs], [each for _, each in pairs]
    feed(kafka, bars if first == "bars" else predictions)
    service = start_outcomes(processes, kafka, mute_unhealthy_seconds=1)

    def held() -> bool:
        return service.metric("tickcast_held_records") >= PARTITIONS * MOST_WAITING

    service.wait_for(held, what="holding one log")
    service.wait_until_healthy()
    time.sleep(2 * SILENT_SECONDS)
    assert service.metric("tickcast_rewinds_total") == 0, "a log that is held is taken for one that is silent"
    feed(kafka, predictions if first == "bars" else bars)
    assert_settles_what_the_logs_call_for(kafka)
    assert service.metric("tickcast_settling_passed_over_total") == 0
    service.wait_for(lambda: service.metric("tickcast_held_records") == 0, what="absorbing all")


@pytest.mark.parametrize("store", ["memory", "rocksdb"])
def test_a_killed_service_misses_no_outcome_and_says_none_twice_with_another_content(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random, store: str
) -> None:
    minutes = market(rng, range(1, 2_000))
    lives = []
    for _ in range(4):
        before = kafka.ends(OPEN_PREDICTIONS_CHANGELOG)
        life = start_outcomes(processes, kafka, state_store=store, checkpoint_interval_ms=300)
        lives.append(life)

        def fed_and_settles() -> bool:
            feed_market(kafka, islice(minutes, 5 * len(TICKERS)))
            return life.metric("tickcast_outcomes_total") > 500  # noqa: B023 - called in this round

        wait_until(fed_and_settles, seconds=120, what="settling")
        kafka.read(OPEN_PREDICTIONS_CHANGELOG, both_logs_are_kept_after(before))
        life.kill()
    start_outcomes(processes, kafka, state_store=store)
    assert_settles_what_the_logs_call_for(kafka)
    assert_no_record_counts_on_ledgers_that_are_not_there(wait_until_kept(kafka))
    for life in lives[1:]:
        assert len(loaded(life)) == PARTITIONS
        assert all(bars > 0 and predictions > 0 for _, bars, predictions in loaded(life))


def test_a_predictor_that_says_again_what_it_said_changes_nothing(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    pairs = list(market(rng, range(1, 60)))
    again = [msgspec.structs.replace(each, id=f"{each.id}+again", model_set="another") for _, each in pairs]
    service = start_outcomes(processes, kafka)
    feed_market(kafka, pairs)
    service.wait_for(lambda: _settles(service), what="settling")
    service.kill()
    start_outcomes(processes, kafka)
    feed(kafka, again)
    feed_market(kafka, market(rng, range(60, 90)))
    records = assert_settles_what_the_logs_call_for(kafka)
    assert {record.event().model_set for record in records} == {"set-first"}


def test_a_polite_stop_keeps_all_that_is_absorbed(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    service = start_outcomes(processes, kafka, checkpoint_interval_ms=600_000)
    feed_market(kafka, market(rng, range(1, 31)))
    assert_settles_what_the_logs_call_for(kafka)
    _wait_until_open(service, 21 * len(TICKERS))
    assert service.stop() == 0
    wait_until_kept(kafka)
    again = start_outcomes(processes, kafka)
    again.wait_for(lambda: len(loaded(again)) == PARTITIONS, what="reading its state back")
    assert sum(bars + 1 for _, bars, _ in loaded(again)) == 30 * len(TICKERS)
    feed_market(kafka, market(rng, range(31, 33)))
    assert_settles_what_the_logs_call_for(kafka)
    assert len(kafka.read(OUTCOMES)) == len({record.event().id for record in kafka.read(OUTCOMES)})


def test_partitions_move_between_workers_with_both_their_logs(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    minutes = market(rng, range(1, 10_000))
    own: dict[str, Any] = {"session_timeout_seconds": SESSION_SECONDS, "checkpoint_interval_ms": 300}
    home = start_outcomes(processes, kafka, instance="home", **own)

    def feed_until(holds: Callable[[], bool], what: str) -> None:
        def fed_and_holds() -> bool:
            feed_market(kafka, islice(minutes, 2 * len(TICKERS)))
            return holds()

        wait_until(fed_and_holds, seconds=120, what=what)

    feed_until(lambda: _settles(home), "the first worker settling")
    guest = start_outcomes(processes, kafka, instance="guest", **own)
    feed_until(lambda: _settles(guest), "the second worker settling")
    before = len(loaded(home))
    guest.kill()
    feed_until(lambda: len(loaded(home)) >= before + PARTITIONS, "all coming back")
    second = start_outcomes(processes, kafka, instance="second", **own)
    feed_until(lambda: _settles(second), "another worker settling")
    assert second.stop() == 0
    feed_market(kafka, islice(minutes, 10 * len(TICKERS)))
    assert_settles_what_the_logs_call_for(kafka)
    assert_no_record_counts_on_ledgers_that_are_not_there(wait_until_kept(kafka))
    for worker in (home, guest, second):
        assert "not the same" not in worker.output()
    assert 0 < len(loaded(guest)) < PARTITIONS


def test_a_worker_that_was_frozen_ends_itself_and_the_other_one_has_settled_all(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    minutes = market(rng, range(1, 10_000))
    own: dict[str, Any] = {"session_timeout_seconds": SESSION_SECONDS, "checkpoint_interval_ms": 300}
    workers = [start_outcomes(processes, kafka, instance=f"worker-{number}", **own) for number in range(2)]

    def both_settle() -> bool:
        feed_market(kafka, islice(minutes, 2 * len(TICKERS)))
        return all(map(_settles, workers))

    wait_until(both_settle, seconds=120, what="both workers settling")
    workers[0].send(signal.SIGSTOP)
    feed_market(kafka, islice(minutes, 20 * len(TICKERS)))
    assert_settles_what_the_logs_call_for(kafka)
    workers[0].send(signal.SIGCONT)
    assert workers[0].wait() == 1
    assert "begins again" in workers[0].output()
    assert_settles_what_the_logs_call_for(kafka)


def test_records_that_the_readers_lose_are_read_again(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    service = start_outcomes(processes, kafka, "tests.feature_stream.dropping_outcomes", "0.1")
    feed_market(kafka, market(rng, range(1, 41)))
    assert_settles_what_the_logs_call_for(kafka)
    assert service.metric("tickcast_gaps_healed_total") > 0
    assert service.metric("tickcast_records_lost_total") == 0


def test_what_cannot_be_understood_is_kept_and_stops_nobody(
    broker: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    home = partition_of(TICKERS[0], PARTITIONS)
    elsewhere = next(ticker for ticker in TICKERS if partition_of(ticker, PARTITIONS) != home)
    bad = {
        BARS: (b"garbage", bar(1, TICKERS[0], close=-1.0), bar(0, TICKERS[0]), bar(1, elsewhere)),
        PREDICTIONS: (b"", prediction(1, "a b"), prediction(1, TICKERS[0], source_offset=2**63)),
    }
    for topic, values in bad.items():
        broker.produce(topic, *values, partition=home)
    pairs = list(market(rng, range(1, 11)))
    start_outcomes(processes, broker)
    feed_market(broker, pairs)
    letters = broker.read(DEAD_LETTERS, 7)
    reasons = sorted(letter.headers["dead_letter_reason"].decode().split(":")[0] for letter in letters)
    assert reasons == ["bar_index", "partition", "price", "ticker", "time", "undecodable", "undecodable"]
    broker.read(OUTCOMES, lambda read: len({record.event().id for record in read}) >= len(TICKERS) * (9 + 5))


def test_logs_that_end_before_the_state_are_other_logs(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    service = start_outcomes(processes, kafka)
    feed_market(kafka, market(rng, range(1, 5)))
    wait_until_kept(kafka)
    assert service.stop() == 0
    kafka.replace_topic(PREDICTIONS)
    again = start_outcomes(processes, kafka)
    assert again.wait() == EXIT_STOP_AND_SAY
    assert "--fresh" in again.output()


def test_predictions_that_retention_took_are_counted_and_the_others_settled(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    pairs = list(market(rng, range(1, 40)))
    service = start_outcomes(processes, kafka)
    feed_market(kafka, pairs[: 10 * len(TICKERS)])
    wait_until_kept(kafka)
    assert service.stop() == 0
    feed_market(kafka, pairs[10 * len(TICKERS) :])
    home = partition_of(TICKERS[0], PARTITIONS)
    first = kafka.ends(PREDICTIONS)[home] - 5
    absorbed = sum(partition_of(each.ticker, PARTITIONS) == home for each, _ in pairs[: 10 * len(TICKERS)])
    gone = range(absorbed, first)
    feed_market(kafka, market(rng, range(40, 45)))
    kept = [each for each in kafka.read(PREDICTIONS) if each.partition != home or each.offset not in gone]
    kafka.trim(PREDICTIONS, home, before_offset=first)
    again = start_outcomes(processes, kafka)
    expected = reference(events_of(kafka.read(BARS)), events_of(kept))
    assert_as_expected(contents(kafka.read(OUTCOMES, all_ids(expected))), expected)
    assert again.metric("tickcast_records_lost_total") == len(gone)


def test_a_state_of_another_way_that_came_late_is_noticed_and_read_again(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    """A worker that had lost its place wrote a ledger that is ahead in one log, and behind in the other."""
    service, ticker = start_outcomes(processes, kafka), TICKERS[0]
    feed_market(kafka, market(rng, range(1, 16)))
    wait_until_kept(kafka)
    assert service.stop() == 0
    pairs = list(market(rng, range(16, 46)))
    feed(kafka, [each for each, _ in pairs])
    ledger = _another_way(kafka, ticker, bars=45, predictions=5)
    value = with_offset(ledger.stands_at, ledger.snapshot())
    kafka.produce(OPEN_PREDICTIONS_CHANGELOG, value, key=ticker, partition=ledger.partition)
    again = start_outcomes(processes, kafka)
    feed(kafka, [each for _, each in pairs])
    assert_settles_what_the_logs_call_for(kafka)
    assert "lost the newest ledgers" in again.output()
    assert_no_record_counts_on_ledgers_that_are_not_there(wait_until_kept(kafka))


def _another_way(broker: BrokerUnderTest, ticker: str, *, bars: int, predictions: int) -> TickerLedger:
    """Give the ledger of a worker that has absorbed so many bars and predictions of a ticker, and said what is due."""
    ledger, rules = TickerLedger(ticker, partition_of(ticker, PARTITIONS)), SettleRules("1m")
    theirs = {
        topic: [record for record in broker.read(topic) if record.event().ticker == ticker]
        for topic in (BARS, PREDICTIONS)
    }
    said: list[Outcome] = []
    for record in theirs[BARS][:bars]:
        said += take_bar(ledger, record.event(), record.offset, rules, 0).outcomes
    for record in theirs[PREDICTIONS][:predictions]:
        said += take_prediction(ledger, record.event(), record.offset, rules, 0).outcomes
    broker.produce(OUTCOMES, *said, key=ticker, partition=ledger.partition)
    return ledger


def test_a_missing_topic_stops_with_one_line(make_kafka: Callable[..., BrokerUnderTest], processes: Processes) -> None:
    service = start_outcomes(processes, make_kafka(create=False))
    assert service.wait() == EXIT_STOP_AND_SAY
    assert "is missing" in service.output()


def test_behind_the_stage_and_the_predictor_every_final_prediction_is_settled(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    start_stage(processes, kafka)
    predictor = processes.start("predictor", environment=kafka.environment(interval="1m"))
    service = start_outcomes(processes, kafka)
    feed_frames(kafka, list(market_frames(rng, tickers=20, minutes=30)))
    assert_says_what_the_log_says(kafka)
    bars = sum(kafka.ends(BARS).values())
    predictor.wait_for(lambda: sum(kafka.ends(PREDICTIONS).values()) >= bars, what="predicting all")
    records = assert_settles_what_the_logs_call_for(kafka)
    assert {record.event().model_set for record in records} == {"statistical"}
    service.wait_until_healthy()
