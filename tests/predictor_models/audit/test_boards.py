"""Scoreboards that know too much, and those that are applied too early, are found."""

from collections.abc import Sequence

from msgspec import structs

from predictor.scoring_boards import ScoringBoards, Weights, Widths
from predictor.training.audit.boards import BoardsAlong, check_boards
from predictor.training.audit.world import World
from schemas.events import Outcome, Scoreboard
from schemas.times import Interval

FOREVER_NS = 2**61


class NewestWeights(ScoringBoards):
    """Applies the newest weights, whenever the prediction is of."""

    def weights(self, as_of_ns: int) -> Weights | None:
        return super().weights(FOREVER_NS)


class NewestWidths(ScoringBoards):
    """Likewise with widths."""

    def widths(self, ticker: str, as_of_ns: int) -> Widths | None:
        return super().widths(ticker, FOREVER_NS)


class Idle(ScoringBoards):
    """Applies nothing."""

    def add(self, board: Scoreboard) -> str | None:
        return None


def test_the_products_boards_know_what_had_matured_and_are_applied_from_then_on(
    world: World, along: BoardsAlong
) -> None:
    finding = check_boards(world, along)
    assert finding.passed, finding.problem


def test_a_scoreboard_newer_than_the_prediction_is_caught(world: World, along: BoardsAlong) -> None:
    for shelf in (NewestWeights, NewestWidths):
        problem = check_boards(world, along, shelf).problem
        assert problem is not None
        assert problem.endswith("a scoreboard is applied that came later")


def test_weights_made_of_later_outcomes_are_caught(world: World, along: BoardsAlong) -> None:
    def boards_that_know_the_end(outcomes: Sequence[Outcome], interval: Interval) -> list[Scoreboard]:
        boards = along(outcomes, interval)
        return [structs.replace(board, horizons=boards[-1].horizons) for board in boards]

    problem = check_boards(world, along=boards_that_know_the_end).problem
    assert problem is not None
    assert problem.endswith("hang on later outcomes")


def test_a_check_that_shows_nothing_does_not_pass(world: World, along: BoardsAlong) -> None:
    assert check_boards(world, along=lambda *_: []).problem == "no board came out: nothing was shown"
    assert check_boards(world, along, Idle).problem == "no board was applied: nothing was shown"
