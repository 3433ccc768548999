"""The scores of sets that were shown beside those that answered."""

from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from feature_stream.scores.columns import known_of
from feature_stream.scores.shadow_sums import ShadowSums
from feature_stream.scores.state import BoardSizes, ScoreKeeper, pooled_scoreboard, scoreboard
from schemas.events import Direction, HorizonScore, ModelScore, Outcome
from tests.feature_stream.outcome_logs import Market, member, outcome, outcomes_of
from tests.feature_stream.score_reference import Scores, horizon_reference, last_of_dates, last_of_ticker

MARKET = Market(tickers=("A", "B", "C"), bars=560, seed=11, beside=0.8, at_rest=0.05, gaps=0.05)


def as_served(one: Outcome) -> Outcome:
    """Give the outcome as it were, had the set beside answered."""
    said = one.shadow["ensemble"]
    direction = Direction.NEUTRAL
    if said.confidence > 0.5 and said.log_return != 0:
        direction = Direction.BULLISH if said.log_return > 0 else Direction.BEARISH
    trial = direction is not Direction.NEUTRAL and one.actual_log_return != 0
    right = (one.actual_log_return > 0) == (direction is Direction.BULLISH)
    return replace(
        one,
        predicted_log_return=said.log_return,
        confidence=said.confidence,
        direction=direction,
        hit=right if trial else None,
    )


def assert_equal(found: ModelScore, expected: Scores) -> None:
    for name, value in msgspec.to_builtins(found).items():
        near = expected[name] if expected[name] is None else pytest.approx(expected[name], rel=1e-6, abs=1e-9)
        assert value == near, name


def assert_as_if_they_had_answered(score: HorizonScore, outcomes: list[Outcome]) -> None:
    names = {one.shadow_model_set for one in outcomes if one.shadow}
    assert score.shadow.keys() == names
    for name, found in score.shadow.items():
        shown = [as_served(one) for one in outcomes if one.shadow_model_set == name]
        assert_equal(found, horizon_reference(shown)["ensemble"])


def test_each_set_beside_is_scored_as_if_it_had_answered() -> None:
    outcomes = list(outcomes_of(MARKET))
    keeper = ScoreKeeper("1d")
    keeper.add(outcomes)
    for score in keeper.pooled_board(0).horizons:
        assert score.shadow.keys() == {"set-1", "set-2", "set-3"}
        assert_as_if_they_had_answered(score, last_of_dates(outcomes, score.horizon, 500))
    for ticker in MARKET.tickers:
        for score in keeper.board(ticker, 0).horizons:
            assert_as_if_they_had_answered(score, last_of_ticker(outcomes, ticker, score.horizon, 500))


def test_what_is_beside_changes_nothing_of_the_other_scores() -> None:
    outcomes = list(outcomes_of(Market(bars=60, beside=1.0)))
    plain = [replace(one, shadow={}, shadow_model_set=None) for one in outcomes]
    boards = [pooled_scoreboard(those, "1d") for those in (outcomes, plain)]
    assert boards[0] is not None
    assert boards[1] is not None
    assert all(score.shadow for score in boards[0].horizons)
    assert [replace(score, shadow={}) for score in boards[0].horizons] == boards[1].horizons
    assert boards[0].weights_version == boards[1].weights_version
    assert boards[0].id != boards[1].id


def test_a_set_leaves_the_board_with_its_last_outcome() -> None:
    def one(bar: int) -> Outcome:
        word = {"ensemble": member(1, 0.01)}
        beside: dict[str, Any] = {"shadow": word, "shadow_model_set": "set-b"} if bar < 3 else {}
        return outcome(bar=bar, **beside)

    keeper = ScoreKeeper("1d", BoardSizes(outcomes=4, dates=4, width_outcomes=9, kept_dates=9))
    for bar, shown in enumerate([1, 2, 3, 3, 2, 1, 0, 0]):
        keeper.add([one(bar)])
        for board in (keeper.board("A", 0), keeper.pooled_board(0)):
            (score,) = board.horizons
            assert {name: its.count for name, its in score.shadow.items()} == ({"set-b": shown} if shown else {})


def test_a_shadow_without_its_ensemble_is_no_forecast_of_the_set() -> None:
    board = scoreboard([outcome(shadow={"forest": member(1, 0.01)}, shadow_model_set="set-b")], "1d")
    assert board is not None
    assert board.horizons[0].shadow == {}


def test_a_challenger_that_is_served_on_a_few_tickers_does_not_weigh_the_members() -> None:
    priors = {"forest": 1.0, "lstm": 9.0}
    changed = {name: replace(member(1, 0.001, name), prior_weight=prior) for name, prior in priors.items()}
    outcomes = [outcome(ticker, bar) for ticker in "ABC" for bar in range(3)]
    outcomes += [outcome("Z", bar, models=changed, model_set="set-2") for bar in range(3)]
    for order in (outcomes, outcomes[::-1]):
        board = pooled_scoreboard(order, "1d")
        assert board is not None
        assert board.horizons[0].weights == {"forest": pytest.approx(0.4), "lstm": pytest.approx(0.6)}


def test_tickers_of_a_challenger_that_mature_first_do_not_weigh_the_members_either() -> None:
    changed = {
        name: replace(member(1, 0.001, name), prior_weight=prior) for name, prior in (("forest", 1), ("lstm", 9))
    }
    theirs = [outcome("Z", bar, models=changed, model_set="set-2") for bar in range(4)]
    outcomes = [outcome(ticker, bar) for ticker in "ABC" for bar in range(3)] + theirs
    for order in (outcomes, outcomes[::-1]):
        board = pooled_scoreboard(order, "1d")
        assert board is not None
        assert board.horizons[0].weights == {"forest": pytest.approx(0.4), "lstm": pytest.approx(0.6)}
    promoted = [outcome(ticker, 3, models=changed, model_set="set-2") for ticker in "ABC"]
    board = pooled_scoreboard(outcomes + promoted, "1d")
    assert board is not None
    assert board.horizons[0].weights == {"forest": pytest.approx(0.1), "lstm": pytest.approx(0.9)}


def test_sums_of_sets_whose_dates_have_left_leave_too_and_the_others_stay_right() -> None:
    pool = ShadowSums(1, 4)
    names = [f"set-{place}" for place in range(60)]
    known = np.array([known_of(outcome())])
    for bar in range(120):
        pool.add([bar], known, np.array([[bar // 2, 0.01, 0.55]]))
        assert len(pool.shown) <= 4
        shown = {f"set-{each // 2}": sum(other // 2 == each // 2 for other in range(max(0, bar - 3), bar + 1))
                 for each in range(max(0, bar - 3), bar + 1)}  # fmt: skip
        assert {name: score.count for name, score in pool.scores(names, 4).items()} == shown
