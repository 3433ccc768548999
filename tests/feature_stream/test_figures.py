"""The stage's metrics: exact, bounded, and without a ticker in any label."""

import time

import pytest
from prometheus_client import CollectorRegistry

from feature_stream.advance import Absorbed
from feature_stream.figures import UNDECODABLE, StageFigures
from feature_stream.pacing import Pacer
from feature_stream.recovery_times import RecoveryTimes
from feature_stream.ticks import Reason
from feature_stream.worker_figures import short_reason
from schemas.metrics import METRICS, OLDEST_AGES
from tests.feature_stream.runs import SECOND, Run


class Setting:
    """Figures in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.figures = StageFigures(self.registry)

    def shown(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"tickcast_{name}", labels)


def test_what_frames_brought_is_shown_after_each_micro_batch_and_counted_once() -> None:
    setting, run = Setting(), Run()
    for seconds in (0.0, 0.5, 1.5):
        setting.figures.absorbed(run.send(("A", seconds, 1, 1), ("B", seconds, 1, 1)), time.time_ns())
    setting.figures.absorbed(Absorbed(passed_over=True), time.time_ns())
    assert setting.shown("ticks_absorbed_total") == 0
    for _ in range(2):
        setting.figures.micro_batch()
        assert setting.shown("frames_absorbed_total") == 4
        assert setting.shown("frames_passed_over_total") == 1
        assert setting.shown("ticks_absorbed_total") == 6
        assert setting.shown("bars_closed_total") == 2
        assert setting.shown("features_emitted_total", kind="final") == 2
    assert setting.shown("micro_batch_frames_size_count") == 1
    assert setting.shown("micro_batch_frames_size_sum") == 4
    assert setting.shown("micro_batch_ticks_size_sum") == 6
    assert setting.shown("tick_to_absorption_seconds_count") == 4


def test_latencies_are_those_from_ingestion_on() -> None:
    setting = Setting()
    setting.figures.absorbed(Absorbed(ticks_absorbed=1), time.time_ns() - 2 * 10**9)
    setting.figures.micro_batch()
    assert setting.shown("tick_to_absorption_seconds_sum") == pytest.approx(2, abs=1)
    setting.figures.spoke([second * SECOND for second in (4, 4, 5, 8)], 7 * SECOND)
    assert setting.shown("tick_to_feature_seconds_sum") == 8
    below = {bound: setting.shown("tick_to_feature_seconds_bucket", le=bound) for bound in ("0.001", "2.5", "5.0")}
    assert below == {"0.001": 1, "2.5": 2, "5.0": 4}
    assert setting.shown("tick_to_feature_seconds_count") == setting.figures.totals["provisionals"] == 4
    assert setting.figures.latency_seconds() == {"p50": 2.0, "p99": 3.0}


def test_every_reason_of_a_dead_letter_is_shown_from_the_start_and_there_are_no_others() -> None:
    setting = Setting()
    for reason in Reason:
        setting.figures.dead_letter(reason)
    for text in ("a", "b"):
        setting.figures.dead_letter(f"{UNDECODABLE}: {text}: {text}")
    [family] = [each for each in setting.registry.collect() if each.name == "tickcast_dead_letters"]
    counts = {sample.labels["reason"]: sample.value for sample in family.samples if sample.name.endswith("_total")}
    assert counts == {UNDECODABLE: 2} | {short_reason(reason): 1 for reason in Reason}
    fresh = Setting()
    assert {fresh.shown("dead_letters_total", reason=reason) for reason in counts} == {0}
    totals = setting.figures.all_totals()
    assert (totals["dead_letters"], totals["late"], totals["early"]) == (len(Reason) + 2, 1, 1)


def test_one_bounded_metric_alone_has_a_ticker_as_label() -> None:
    assert [metric.name for metric in METRICS if "ticker" in metric.labels] == [OLDEST_AGES.name]


def test_recovery_is_timed_from_the_assignment_to_the_state_and_to_the_first_record() -> None:
    setting = Setting()
    times = RecoveryTimes(setting.figures)
    times.look(0.5)
    times.assigned(1.0)
    times.state_read(4.0)
    times.look(5.0)
    assert setting.shown("recovery_seconds_sum", until="state") == 3.0
    assert setting.shown("recovery_seconds_count", until="first_record") is None
    setting.figures.totals["frames"] += 1
    for now in (6.0, 7.0):
        times.look(now)
    assert setting.shown("recovery_seconds_sum", until="first_record") == 5.0
    assert setting.shown("recovery_seconds_count", until="first_record") == 1.0


def test_a_state_that_was_read_without_an_assignment_is_not_timed() -> None:
    setting = Setting()
    RecoveryTimes(setting.figures).state_read(4.0)
    assert setting.shown("recovery_seconds_count", until="state") is None


def test_news_of_a_ticker_that_nobody_was_told_grows_old() -> None:
    pacer = Pacer(0.25)
    assert pacer.oldest_wait_seconds(9.0) == 0.0
    assert pacer.touch(["A"], 10.0) == ["A"]
    assert pacer.oldest_wait_seconds(10.0) == 0.0
    assert pacer.touch(["A"], 10.1) == []
    assert pacer.oldest_wait_seconds(10.2) == pytest.approx(0.2)
    assert pacer.oldest_wait_seconds(13.0) == pytest.approx(3.0)
    assert pacer.due(13.0) == ["A"]
    assert pacer.oldest_wait_seconds(14.0) == 0.0
