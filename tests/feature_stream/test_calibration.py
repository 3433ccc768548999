"""Weights and widths: against their definitions, and by what they do in markets that change."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from feature_stream.calibration import (
    WIDTH_OUTCOMES,
    MemberErrors,
    adapted_weights,
    conformal_quantile,
    version_of,
    width_after,
    width_steps,
)
from tests.feature_stream.interval_worlds import coverage

PRIORS = {"forest": 0.4, "lstm": 0.6, "arima": 0.0}

priors = some.dictionaries(some.sampled_from("abcde"), some.sampled_from([0.0, 0.1, 0.4, 0.6, 1.0]), min_size=1)
errors = some.builds(
    MemberErrors,
    dates=some.integers(1, 250),
    mean_square=some.floats(0.0, 4.0),
    unchanged_mean_square=some.floats(0.0, 4.0),
)


def equally_long(dates: int, **mean_squares: float) -> dict[str, MemberErrors]:
    return {name: MemberErrors(dates, square, 1.0) for name, square in mean_squares.items()}


def test_without_outcomes_the_weights_are_the_prior_ones() -> None:
    assert adapted_weights(PRIORS, {}) == {"arima": 0.0, "forest": 0.4, "lstm": 0.6}


def test_equal_errors_leave_the_prior_weights() -> None:
    assert adapted_weights(PRIORS, equally_long(250, forest=0.9, lstm=0.9, arima=0.1)) == PRIORS


def test_the_weights_are_those_of_the_formula() -> None:
    """After 125 dates a third of the way from 0.4 : 0.6 to 0.4 / 0.5 : 0.6 / 1."""
    weights = adapted_weights(PRIORS, equally_long(125, forest=0.5, lstm=1.0, arima=0.2))
    earned = 0.8 / 1.4
    assert weights["forest"] == pytest.approx(2 / 3 * 0.4 + 1 / 3 * earned, abs=1e-6)
    assert weights["arima"] == 0.0


def test_half_of_what_is_earned_is_granted_after_250_dates() -> None:
    weights = adapted_weights({"a": 0.5, "b": 0.5}, equally_long(250, a=1.0, b=3.0))
    assert weights == {"a": pytest.approx(0.5 * 0.5 + 0.5 * 0.75), "b": pytest.approx(0.375)}


def test_a_member_that_was_there_in_calm_times_only_is_not_taken_for_a_better_one() -> None:
    """Both lose to no change by 1 %, one of them on quarter as large moves."""
    known = {"forest": MemberErrors(250, 1.01, 1.0), "lstm": MemberErrors(250, 0.2525, 0.25)}
    assert adapted_weights(PRIORS, known) == PRIORS


def test_a_newcomer_has_its_prior_weight_and_the_others_theirs_of_the_rest() -> None:
    known = equally_long(250, forest=0.5, lstm=1.0)
    weights = adapted_weights({"forest": 0.4, "lstm": 0.4, "new": 0.2}, known)
    assert weights["forest"] > weights["lstm"]
    assert weights["new"] == pytest.approx(0.2, rel=0.2)


@given(priors, some.dictionaries(some.sampled_from("abcdef"), errors))
def test_weights_add_up_to_one_and_only_the_priors_have_any(
    prior: dict[str, float], known: dict[str, MemberErrors]
) -> None:
    weights = adapted_weights(prior, known)
    if not any(prior.values()):
        assert weights == {}
        return
    assert set(weights) == set(prior)
    assert sum(round(weight * 1_000_000) for weight in weights.values()) == 1_000_000
    assert all(weights[name] >= 0 for name in prior)
    assert all(weights[name] == 0 for name in prior if prior[name] == 0)


@given(priors, some.dictionaries(some.sampled_from("abcde"), errors, min_size=1), some.sampled_from("abcde"))
@example({"b": 0.1}, {"b": MemberErrors(1, 1.0, 2.2e-309)}, "b")  # a ratio that is no finite number
def test_fewer_errors_never_weigh_less(prior: dict[str, float], known: dict[str, MemberErrors], name: str) -> None:
    if name not in known or not prior.get(name):
        return
    before = adapted_weights(prior, known)[name]
    less = MemberErrors(known[name].dates, known[name].mean_square / 2, known[name].unchanged_mean_square)
    assert adapted_weights(prior, known | {name: less})[name] >= before - 2e-6


@given(
    some.lists(some.booleans(), max_size=300),
    some.sampled_from([Fraction(1, 20), Fraction(1, 100)]),
    some.integers(1, 500),
)
def test_the_width_is_that_of_the_recursion(misses: list[bool], alpha: Fraction, steps: int) -> None:
    width = Fraction(1)
    for miss in misses:
        width = max(width + (miss - alpha) / steps, Fraction(1, 20))
    assert width_after(np.array(misses, np.bool_), float(alpha), steps) == round(float(width), 9)


@pytest.mark.parametrize(("horizon", "steps"), [(1, 20), (2, 23), (5, 29), (16, 40), (21, 42), (81, 60)])
def test_steps_are_smaller_the_longer_the_horizon_by_its_fourth_root(horizon: int, steps: int) -> None:
    assert width_steps(horizon) == steps
    assert steps**4 <= 20**4 * horizon < (steps + 1) ** 4


def test_a_long_calm_takes_the_width_to_its_bound_and_one_miss_lifts_it_from_there() -> None:
    calm = np.zeros(600, np.bool_)
    assert width_after(calm, 0.05, 20) == 0.05
    assert width_after(np.append(calm, True), 0.05, 20) == 0.0975
    assert width_after(calm[:0], 0.05, 20) == 1.0


@given(some.lists(some.floats(0, 10), min_size=1, max_size=300), some.sampled_from([0.05, 0.01]))
def test_the_quantile_is_the_corrected_one(scores: list[float], share_outside: float) -> None:
    n = len(scores)
    place = math.ceil(round((n + 1) * (1 - share_outside), 6))
    expected = None if place > n else sorted(scores)[place - 1]
    assert conformal_quantile(np.array(scores), share_outside) == expected


@pytest.mark.parametrize(("n", "share_outside", "known"), [(18, 0.05, False), (19, 0.05, True), (98, 0.01, False)])
def test_too_few_scores_have_no_finite_quantile(n: int, share_outside: float, known: bool) -> None:
    assert (conformal_quantile(np.arange(n, dtype=float), share_outside) is not None) == known


def test_a_version_changes_with_a_number_and_only_then() -> None:
    assert version_of({"a": 0.4, "b": 0.6}) == version_of({"b": 0.6, "a": 0.4})
    assert version_of({"a": 0.4, "b": 0.6}) != version_of({"a": 0.400001, "b": 0.599999})
    assert len(version_of({})) == 12


@pytest.mark.slow
@pytest.mark.parametrize("first_quantile", [1.0, 0.8, 1.25], ids=lambda share: f"first quantile {share:g} of the right")
@pytest.mark.parametrize(("horizon", "share_outside"), [(1, 0.05), (1, 0.01), (21, 0.05), (21, 0.01)])
def test_coverage_comes_back_within_a_point_when_a_market_turns_wild(
    horizon: int, share_outside: float, first_quantile: float
) -> None:
    """Returns with fat tails whose volatility triples at once; every width waits for its outcomes to mature."""
    before, after = coverage(horizon, share_outside, first_quantile, WIDTH_OUTCOMES)
    assert before == pytest.approx(1 - share_outside, abs=0.01)
    assert after == pytest.approx(1 - share_outside, abs=0.01)


@pytest.mark.slow
def test_a_short_memory_would_not_bring_it_back() -> None:
    _, after = coverage(21, 0.05, 0.8, 250)
    assert after < 0.94
