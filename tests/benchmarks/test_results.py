"""The ratios that the benchmark of the feature stage tells, and its table."""

import math

import pytest

from benchmarks.feature_stage.contestants import (
    BARE,
    BARE_TICKS,
    BYTEWAX,
    BYTEWAX_TICKS,
    CONTESTANTS,
    QUIX,
    QUIX_TICKS,
    TICKCAST,
    TICKCAST_TICKS,
    Contestant,
)
from benchmarks.feature_stage.results import Goal, Measured, Result, goals, paired
from benchmarks.feature_stage.table import BEGIN, END, markdown, replaced

_SPEEDS = {
    TICKCAST: 700_000.0,
    BARE: 1_000_000.0,
    QUIX: 500_000.0,
    BYTEWAX: 750_000.0,
    TICKCAST_TICKS: 20_000.0,
    BARE_TICKS: 40_000.0,
    QUIX_TICKS: 50_000.0,
    BYTEWAX_TICKS: 100_000.0,
}


def measured(*, many_share: float = 1.0, **speeds: float) -> Measured:
    def result(contestant: Contestant, tickers: int, speed: float) -> Result:
        return Result(
            name=contestant.name,
            tickers=tickers,
            rounds=[speed] if speed else [],
            cpu_microseconds=1.5,
            memory_mebibytes=120.0,
            features_per_second=400.0,
        )

    few = [result(each, 100, speeds.get(each.name, _SPEEDS[each])) for each in CONTESTANTS]
    many = [result(each, 1_000, _SPEEDS[each] * many_share) for each in CONTESTANTS]
    return Measured(runs=5, seconds=8.0, cores=2, results=few + many, p99_ms={TICKCAST.name: 31.4}, two_workers=1.2)


def goal(found: list[Goal], start: str) -> Goal:
    return next(each for each in found if each.text.startswith(start))


def test_the_share_of_the_bare_loop_is_told_and_judged() -> None:
    assert goal(goals(measured()), "of the bare loop") == Goal(
        "of the bare loop, at least 60 %, 100 tickers", "70%", True
    )
    slow = measured(**{TICKCAST.name: 500_000.0})
    assert goal(goals(slow), "of the bare loop").reached is False


def test_with_frames_the_best_peer_counts_and_each_is_told() -> None:
    found = goals(measured())
    assert goal(found, "of the best peer with our frames").value == "93%"
    assert goal(found, f"of {QUIX.name}") == Goal(f"of {QUIX.name}, 100 tickers", "140%", True)
    assert goal(found, f"of {BYTEWAX.name}").reached is False


def test_as_documented_the_best_peer_counts_too() -> None:
    assert goal(goals(measured()), "of the best peer as documented").value == "7.0 x"


@pytest.mark.parametrize(("share", "value", "reached"), [(0.95, "5%", True), (0.8, "20%", False)])
def test_the_fall_with_more_tickers_is_told(share: float, value: str, reached: bool) -> None:
    found = goal(goals(measured(many_share=share)), "fall from 100 to 1,000")
    assert (found.value, found.reached) == (value, reached)


def test_two_workers_are_judged_only_where_there_are_cores_for_them() -> None:
    assert goal(goals(measured()), "two workers").reached is None


def test_who_did_not_take_part_is_not_judged() -> None:
    found = goals(measured(**{BARE.name: 0.0}))
    assert goal(found, "of the bare loop") == Goal("of the bare loop, at least 60 %, 100 tickers", "not measured", None)


def test_a_ratio_is_that_of_rounds_when_the_machine_is_slow_in_some() -> None:
    assert paired([100.0, 300.0, 90.0], [200.0, 600.0, 100.0]) == 0.5
    assert paired([], [1.0]) is None


def test_the_table_says_where_the_input_is_another_one() -> None:
    rows = [row for row in markdown(measured()).splitlines() if row.startswith(f"| {BYTEWAX_TICKS.name} ")]
    assert len(rows) == 2
    assert all("different input" in row and "| - |" in row for row in rows)


def test_who_falls_behind_has_no_latency_but_words() -> None:
    late = measured()
    late.p99_ms[QUIX_TICKS.name] = math.inf
    assert "falls behind" in markdown(late)


def test_a_page_keeps_what_stands_around_the_table() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert replaced(page, "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n".replace("\n\n", "\n")
    assert replaced("no marks\n", "new") == "no marks\n"
