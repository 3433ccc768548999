"""Boards by hand: what counts, what is a trial, who earns weight."""

import math

import pytest
from msgspec.structs import replace

from feature_stream.scores.state import ScoreKeeper, pooled_scoreboard, scoreboard
from schemas.events import Direction, Outcome
from tests.feature_stream.outcome_logs import MEMBERS, Market, member, outcome, outcomes_of


def test_weights_stand_on_the_board_of_all_and_widths_on_a_tickers_own() -> None:
    keeper = ScoreKeeper("1d")
    keeper.add(outcomes_of(Market(bars=60)))
    mine, pooled = keeper.board("A", 0), keeper.pooled_board(0)
    for score in mine.horizons:
        assert score.weights == {}
        assert score.width_95 is not None
        assert score.quantile_95 is not None
        assert score.quantile_99 is None, "60 outcomes are too few"
    for score in pooled.horizons:
        assert score.weights.keys() == MEMBERS.keys()
        assert sum(score.weights.values()) == pytest.approx(1)
        assert score.weights["arima"] == 0
        assert score.width_95 is score.quantile_95 is None
    assert mine.weights_version == "prior"
    assert pooled.intervals_version == "holdout"


def test_the_better_member_earns_weight() -> None:
    def one(bar: int) -> Outcome:
        moved = 0.02 if bar % 2 else -0.02
        words = {"forest": member(1, 0.5 * moved), "lstm": member(1, -0.5 * moved, "lstm")}
        return outcome(bar=bar, actual_log_return=moved, models=words)

    board = pooled_scoreboard(map(one, range(250)), "1d")
    assert board is not None
    earned = 0.4 / 0.25 / (0.4 / 0.25 + 0.6 / 2.25)
    assert board.horizons[0].weights["forest"] == pytest.approx(0.5 * 0.4 + 0.5 * earned, abs=1e-6)


def test_a_volatile_ticker_weighs_no_more_than_a_calm_one() -> None:
    """The forest is right of the calm ticker, the LSTM of one that moves twenty times as much."""

    def two(bar: int) -> list[Outcome]:
        outcomes = []
        for ticker, right, volatility in (("A", "forest", 0.005), ("B", "lstm", 0.1)):
            words = {name: member(1, volatility if name == right else 0.0, name) for name in ("forest", "lstm")}
            outcomes.append(outcome(ticker, bar, actual_log_return=2 * volatility, volatility=volatility, models=words))
        return outcomes

    board = pooled_scoreboard([one for bar in range(250) for one in two(bar)], "1d")
    assert board is not None
    assert board.horizons[0].weights == {"forest": pytest.approx(0.4), "lstm": pytest.approx(0.6)}


def test_the_prior_weights_are_the_newest_sets_and_never_those_of_a_stand_in() -> None:
    alone = {"statistical": member(1, 0.0)}
    newer = {"forest": replace(member(1, 0.001), prior_weight=0.7), "lstm": replace(member(1, 0.001), prior_weight=0.3)}
    outcomes = [outcome(bar=0), outcome(bar=1, models=newer), outcome("B", 5, models=alone)]
    for order in (outcomes, outcomes[::-1]):
        board = pooled_scoreboard(order, "1d")
        assert board is not None
        assert board.horizons[0].weights == {"forest": 0.7, "lstm": 0.3}
        assert set(board.horizons[0].models) == {"forest", "lstm", "statistical"}


def test_a_neutral_prediction_and_a_price_at_rest_are_no_trials() -> None:
    outcomes = [
        outcome(bar=0, direction=Direction.NEUTRAL, hit=None, confidence=0.5),
        outcome(bar=1, actual_log_return=0.0, hit=None),
        outcome(bar=2),
        outcome(bar=3, actual_log_return=-0.02, hit=False),
    ]
    board = scoreboard(outcomes, "1d")
    assert board is not None
    score = board.horizons[0]
    assert (score.ensemble.count, score.ensemble.trials, score.ensemble.hit_rate) == (4, 2, 0.5)
    assert score.ensemble.mean_confidence == pytest.approx(0.55)
    assert score.ensemble.brier_score == pytest.approx((0.45**2 + 0.55**2) / 2)
    assert (score.ensemble.precision, score.ensemble.recall) == (0.5, 1.0)
    assert score.ensemble.f1 == pytest.approx(2 / 3)
    assert (score.usual_hit_rate, score.hit_rate_difference) == (0.5, 0.0)
    assert score.models["forest"].trials == 3
    assert score.models["forest"].hit_rate == pytest.approx(2 / 3)
    assert score.naive.hit_rate is None


def test_errors_of_the_price_need_no_price() -> None:
    board = scoreboard([outcome(predicted_log_return=math.log(1.1), actual_log_return=math.log(1.25))], "1d")
    assert board is not None
    assert board.horizons[0].ensemble.mean_absolute_percentage_error == pytest.approx(100 * (1.25 - 1.1) / 1.25)


def test_nothing_that_moves_or_is_forecast_gives_a_board_all_the_same() -> None:
    flat = outcome(actual_log_return=0.0, predicted_log_return=0.0, hit=None, volatility=0.0, models={})
    board = scoreboard([flat], "1d")
    assert board is not None
    score = board.horizons[0]
    assert (score.slope, score.error_ratio, score.error_p_value, score.quantile_95) == (0.0, None, None, None)
    assert score.ensemble.scaled_mean_squared_error is None
    assert score.width_95 == pytest.approx(0.9975)


@pytest.mark.parametrize(("horizon", "step"), [(1, 1 / 20), (21, 1 / 42)])
def test_a_miss_widens_less_the_longer_the_horizon(horizon: int, step: float) -> None:
    board = scoreboard([outcome(horizon=horizon, inside_95=False, inside_99=False)], "1d")
    assert board is not None
    [score] = board.horizons
    assert (score.width_95, score.width_99) == pytest.approx((1 + 0.95 * step, 1 + 0.99 * step), abs=1e-9)
