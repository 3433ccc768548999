"""Calibration against scikit-learn, intervals against what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from predictor.training.calibrate import calibrations, conformal_quantile, fit_logistic, interval_quantiles
from predictor.training.calibrate import spread_scales as scales_of


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-2, 2), st.floats(-1, 1))
def test_logistic_calibration_is_scikit_learns(seed: int, slope: float, intercept: float) -> None:
    random = np.random.default_rng(seed)
    ratios = random.normal(0, 0.5, 400)
    up = random.random(400) < 1 / (1 + np.exp(-(intercept + slope * ratios)))
    oracle = LogisticRegression(C=1.0, fit_intercept=False, solver="newton-cholesky", tol=1e-12)
    oracle.fit(np.column_stack([np.ones(400), ratios]), up)
    assert fit_logistic(ratios, up) == pytest.approx(tuple(oracle.coef_[0]), abs=1e-5)


def test_calibration_stays_finite_where_every_prediction_was_right() -> None:
    ratios = np.linspace(-1, 1, 200)
    intercept, slope = fit_logistic(ratios, ratios > 0)
    assert np.isfinite([intercept, slope]).all()
    assert slope > 1


def test_calibration_stays_finite_where_prices_only_rose() -> None:
    intercept, slope = fit_logistic(np.full(200, 0.01), np.full(200, True))
    assert 2 < intercept < 10
    assert np.isfinite(slope)


def test_a_day_that_did_not_move_teaches_no_direction() -> None:
    random = np.random.default_rng(5)
    predictions, moves = random.normal(0, 0.3, (300, 1)), random.normal(0, 0.01, (300, 1))
    still = np.zeros((100, 1))
    alone = calibrations((1,), predictions, [1.0], moves)
    beside = calibrations((1,), np.vstack([predictions, np.ones((100, 1))]), [1.0], np.vstack([moves, still]))
    assert alone == beside


def test_a_member_that_is_wrong_more_often_than_right_gets_a_negative_slope() -> None:
    random = np.random.default_rng(6)
    moves = random.normal(0, 1, (500, 1))
    (calibration,) = calibrations((5,), -moves, [1.0], moves)
    assert calibration.horizon == 5
    assert calibration.slope < 0


@settings(deadline=None)
@given(st.lists(st.floats(0, 10), min_size=100, max_size=400), st.sampled_from([0.95, 0.99]))
def test_the_quantile_is_the_smallest_error_with_enough_others_at_or_below(
    errors: list[float], coverage: float
) -> None:
    quantile = conformal_quantile(np.array(errors), coverage)
    needed = (len(errors) + 1) * coverage
    assert sum(error <= quantile for error in errors) >= needed - 1e-9
    assert sum(error < quantile for error in errors) < needed


def test_a_new_error_is_covered_as_often_as_promised() -> None:
    random = np.random.default_rng(8)
    covered = [random.normal() ** 2 <= conformal_quantile(random.normal(size=100) ** 2, 0.95) for _ in range(4_000)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_too_few_errors_for_a_coverage_are_refused() -> None:
    with pytest.raises(ValueError, match="98 errors are too few"):
        conformal_quantile(np.ones(98), 0.99)


def test_quantiles_and_spreads_go_by_horizon() -> None:
    errors = np.random.default_rng(9).normal(0, 1, (500, 2)) * [1.0, -3.0]
    first, second = interval_quantiles((1, 5), errors)
    assert (first.horizon, second.horizon) == (1, 5)
    assert second.quantile_95 == pytest.approx(3 * first.quantile_95, rel=0.2)
    assert first.quantile_95 < first.quantile_99
    assert scales_of(errors) == pytest.approx(
        [np.sqrt(np.mean(errors[:, 0] ** 2)), np.sqrt(np.mean(errors[:, 1] ** 2))]
    )
