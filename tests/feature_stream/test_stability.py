"""The population stability index, by hand and on outcomes."""

import math

import numpy as np
import pytest

from feature_stream.scores.state import pooled_scoreboard
from feature_stream.stability import (
    LEAST_REFERENCE_DATES,
    MOST_TICKERS,
    NEWEST_DATES,
    inputs_drift,
    inputs_of,
    stability_index,
)
from tests.feature_stream.outcome_logs import outcome

ENOUGH = LEAST_REFERENCE_DATES + NEWEST_DATES


def test_it_is_what_one_gets_by_hand() -> None:
    reference = np.arange(100, dtype=np.float64)  # ten of them in each bin
    newest = np.array([5.0] * 3 + [15.0] * 1 + [95.0] * 6)  # 30 % in the first, 10 % in the second, 60 % in the last
    empty = (1e-4 - 0.1) * math.log(1e-4 / 0.1)
    by_hand = (0.3 - 0.1) * math.log(3.0) + 0.0 + (0.6 - 0.1) * math.log(6.0) + 7 * empty
    assert stability_index(reference, newest) == pytest.approx(by_hand, rel=1e-12)


def test_the_same_values_are_stable_in_any_order_and_so_are_values_that_never_change() -> None:
    values = np.random.default_rng(1).normal(size=500)
    assert stability_index(values, values[::-1]) == 0.0
    assert stability_index(np.zeros(50), np.zeros(10)) == 0.0


def test_many_draws_of_one_distribution_stay_below_the_usual_bound_and_a_shift_does_not() -> None:
    rng = np.random.default_rng(2)
    reference = rng.normal(size=5_000)
    assert stability_index(reference, rng.normal(size=1_000)) < 0.1
    assert stability_index(reference, rng.normal(1.0, 1.0, size=1_000)) > 0.25


def test_the_input_that_has_moved_most_is_named() -> None:
    rng = np.random.default_rng(3)
    actual, predicted = 0.02 * rng.standard_normal(ENOUGH), 0.001 * rng.standard_normal(ENOUGH)
    predicted[-NEWEST_DATES:] += 0.01
    said = inputs_drift([np.arange(ENOUGH)], [inputs_of(actual, predicted, np.full(ENOUGH, 0.02))])
    assert said["inputs"] == "forecast"
    assert float(said["inputs_psi"]) > 1.0
    assert (
        inputs_drift([np.arange(ENOUGH - 1)], [inputs_of(actual[1:], predicted[1:], np.full(ENOUGH - 1, 0.02))]) == {}
    )
    assert inputs_drift([], []) == {}


def test_the_board_of_all_names_it_and_it_asks_for_nothing() -> None:
    rng = np.random.default_rng(4)
    outcomes = [
        outcome(
            ticker,
            bar,
            volatility=(0.02 if bar < LEAST_REFERENCE_DATES else 0.06) * math.exp(0.1 * float(rng.normal())),
            actual_log_return=0.02 * float(rng.normal()),
        )
        for bar in range(ENOUGH)
        for ticker in ("A", "B")
    ]
    board = pooled_scoreboard(outcomes, "1d")
    assert board is not None
    assert board.drift["inputs"] == "volatility"
    assert board.drift["retrain"] == "no"
    shuffled = [outcomes[place] for place in rng.permutation(len(outcomes))]
    assert pooled_scoreboard(shuffled, "1d") == board
    before_them = [outcome(f"0{number:03}", 0) for number in range(MOST_TICKERS)]
    crowded = pooled_scoreboard([*before_them, *outcomes], "1d")
    assert crowded is not None
    assert "inputs" not in crowded.drift, "A and B are not among the first by name"
    young = pooled_scoreboard(outcomes[:100], "1d")
    assert young is not None
    assert "inputs" not in young.drift


def test_an_outcome_without_volatility_tells_nothing_of_inputs() -> None:
    outcomes = [outcome("A", bar, volatility=0.0) for bar in range(ENOUGH)]
    board = pooled_scoreboard(outcomes, "1d")
    assert board is not None
    assert "inputs" not in board.drift
