"""The plan of the disturbances."""

from collections import Counter

import pytest

from tests.chaos.plan import BROKER, FIRST_WORKERS, INGESTOR, MOST_WORKERS, PREDICTOR, SESSION_SECONDS, Kind, plan


@pytest.mark.parametrize("count", [0, 1, 5, 100])
def test_a_plan_has_as_many_disturbances_as_asked_for_and_a_seed_repeats_it(count: int) -> None:
    assert len(plan(7, count)) == count
    assert plan(7, count) == plan(7, count)
    assert not count or plan(7, count) != plan(8, count)


def test_five_disturbances_are_of_four_kinds_and_hit_workers_the_ingestor_and_the_broker() -> None:
    for seed in range(20):
        five = plan(seed, 5)
        assert {each.kind for each in five} == {Kind.KILL, Kind.FREEZE, Kind.ADD} | {each.kind for each in five}
        assert {INGESTOR, BROKER} < {each.member for each in five}


def test_a_long_plan_does_everything_to_everyone() -> None:
    done = Counter((each.kind, each.member.split("-")[0]) for each in plan(3, 100))
    assert {kind for kind, whom in done if whom == "worker"} == set(Kind)
    for whom in (INGESTOR, PREDICTOR):
        assert {kind for kind, member in done if member == whom} == {Kind.KILL, Kind.FREEZE, Kind.RESTART}
    assert done[Kind.KILL, BROKER] >= 5


def test_only_workers_that_are_there_are_disturbed_and_there_are_always_enough() -> None:
    for seed in range(20):
        workers = set(FIRST_WORKERS)
        for each in plan(seed, 100):
            if each.kind is Kind.ADD:
                assert each.member not in workers
                workers.add(each.member)
            elif each.member.startswith("worker"):
                assert each.member in workers
            if each.kind is Kind.REMOVE:
                workers.remove(each.member)
            assert 2 <= len(workers) <= MOST_WORKERS


def test_what_is_frozen_stands_still_for_longer_than_its_session() -> None:
    frozen = [each for each in plan(1, 100) if each.kind is Kind.FREEZE]
    assert frozen
    assert all(each.lasts_seconds > SESSION_SECONDS for each in frozen)
