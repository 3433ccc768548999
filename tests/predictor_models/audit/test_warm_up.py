"""Scores of what must not count are found."""

from collections.abc import Iterable, Sequence

import pytest
from msgspec import structs

from predictor.training.audit.events import settled
from predictor.training.audit.warm_up import check_warm_up, own_board
from predictor.training.audit.world import World
from schemas.events import Bar, Origin, Outcome, Prediction, Scoreboard
from schemas.times import Interval


def test_the_product_scores_nothing_that_must_not_count(world: World) -> None:
    finding = check_warm_up(world)
    assert finding.passed, finding.problem


@pytest.mark.parametrize("reason", ["in_sample", "warm_up", "repeat", "partial"])
def test_an_outcome_that_counts_although_it_must_not_is_caught(world: World, reason: str) -> None:
    def careless(interval: Interval, bars: Sequence[Bar], predictions: Sequence[Prediction]) -> list[Outcome]:
        return [
            structs.replace(outcome, scored=True) if outcome.unscored_reason == reason else outcome
            for outcome in settled(interval, bars, predictions)
        ]

    problem = check_warm_up(world, settle=careless).problem
    assert problem is not None
    assert problem.startswith(f"{reason}: ")
    assert problem.endswith(" counts")


def test_warm_up_on_the_way_that_is_forgotten_is_caught(world: World) -> None:
    """The marks of predictions are seen, those of bars are not."""

    def careless(interval: Interval, bars: Sequence[Bar], predictions: Sequence[Prediction]) -> list[Outcome]:
        return settled(interval, [structs.replace(bar, origin=Origin.NORMAL) for bar in bars], predictions)

    problem = check_warm_up(world, settle=careless).problem
    assert problem is not None
    assert problem.startswith("warm_up: ")


def test_a_scoreboard_that_counts_warm_up_is_caught(world: World) -> None:
    def careless(outcomes: Iterable[Outcome], interval: Interval) -> Scoreboard | None:
        return own_board((structs.replace(outcome, scored=True) for outcome in outcomes), interval)

    problem = check_warm_up(world, board_of=careless).problem
    assert problem == "in_sample: what must not count changes the scoreboard"


def test_a_check_that_shows_nothing_does_not_pass(world: World) -> None:
    short = World({"AAA": world.bars["AAA"].between(None, world.bars["AAA"].start_ns[50])}, "1d", (1,), 1)
    assert check_warm_up(short).problem == "no ticker has 80 bars"
