"""Calibration against scikit-learn, intervals against what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from predictor.training.calibrate import (
    calibrations,
    conformal_quantile,
    fit_logistic,
    forecast_slopes,
    interval_quantiles,
    row_weights,
)
from predictor.training.calibrate import spread_scales as scales_of


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-2, 2), st.floats(-1, 1))
def test_logistic_calibration_is_scikit_learns(seed: int, slope: float, intercept: float) -> None:
    random = np.random.default_rng(seed)
    ratios = random.normal(0, 0.5, 400)
    up = random.random(400) < 1 / (1 + np.exp(-(intercept + slope * ratios)))
    weights = random.uniform(0.1, 1.0, 400)
    oracle = LogisticRegression(C=1.0, fit_intercept=False, solver="newton-cholesky", tol=1e-12)
    oracle.fit(np.column_stack([np.ones(400), ratios]), up, sample_weight=weights)
    assert fit_logistic(ratios, up, weights) == pytest.approx(tuple(oracle.coef_[0]), abs=1e-5)


def test_calibration_stays_finite_where_every_prediction_was_right() -> None:
    ratios = np.linspace(-1, 1, 200)
    intercept, slope = fit_logistic(ratios, ratios > 0, np.ones(200))
    assert np.isfinite([intercept, slope]).all()
    assert slope > 1


def test_calibration_stays_finite_where_prices_only_rose() -> None:
    intercept, slope = fit_logistic(np.full(200, 0.01), np.full(200, True), np.ones(200))
    assert 2 < intercept < 10
    assert np.isfinite(slope)


def test_a_day_that_did_not_move_teaches_no_direction() -> None:
    random = np.random.default_rng(5)
    predictions, moves = random.normal(0, 0.3, (300, 1)), random.normal(0, 0.01, (300, 1))
    still = np.zeros((100, 1))
    alone = calibrations((1,), predictions, [1.0], moves, np.ones(300))
    all_predictions, all_moves = np.vstack([predictions, np.ones((100, 1))]), np.vstack([moves, still])
    beside = calibrations((1,), all_predictions, [1.0], all_moves, np.ones(400))
    assert alone == beside


def test_a_member_that_is_wrong_more_often_than_right_gets_a_negative_slope() -> None:
    random = np.random.default_rng(6)
    moves = random.normal(0, 1, (500, 1))
    (calibration,) = calibrations((5,), -moves, [1.0], moves, np.ones(500))
    assert calibration.horizon == 5
    assert calibration.slope < 0


def test_a_date_counts_once_however_many_tickers_trade() -> None:
    random = np.random.default_rng(7)
    moves, predictions = random.normal(0, 1, (200, 2)), random.normal(0, 1, (200, 2))
    days = np.arange(200, dtype=np.int64)
    once = calibrations((1, 5), predictions, [1.0, 1.0], moves, row_weights(days))
    thrice = calibrations(
        (1, 5), np.repeat(predictions, 3, 0), [1.0, 1.0], np.repeat(moves, 3, 0), row_weights(np.repeat(days, 3))
    )
    for one, three in zip(once, thrice, strict=True):
        assert (one.intercept, one.slope) == pytest.approx((three.intercept, three.slope), abs=1e-9)
    assert row_weights(np.array([5, 5, 7, 5], np.int64)).tolist() == pytest.approx([1 / 3, 1 / 3, 1.0, 1 / 3])


def test_returns_over_many_bars_teach_the_less_for_their_overlap() -> None:
    """The longer the horizon, the nearer the prior: 500 dates of 21 bars are 24 independent ones."""
    random = np.random.default_rng(12)
    moves = np.abs(random.normal(0, 1, (500, 1)))
    one, many = (calibrations((h,), np.zeros((500, 1)), [1.0], moves, np.ones(500))[0] for h in (1, 21))
    assert one.intercept > many.intercept > 0
    # 24 of 24 up under a prior of one row: the log-odds that solve 24 (1 - p) = log-odds.
    assert many.intercept == pytest.approx(500 / 21 / (1 + np.exp(many.intercept)), rel=1e-6)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(-2.0, 2.0))
def test_a_slope_makes_the_smallest_error_of_all_between_no_change_and_the_whole_forecast(
    seed: int, truth: float
) -> None:
    random = np.random.default_rng(seed)
    forecasts = random.normal(0, 1, (300, 1))
    outcomes = truth * forecasts + random.normal(0, 1, (300, 1))
    (slope,) = forecast_slopes(forecasts, outcomes)
    errors = [np.square(outcomes - each * forecasts).sum() for each in np.linspace(0, 1, 101)]
    assert 0.0 <= slope <= 1.0
    assert np.square(outcomes - slope * forecasts).sum() <= min(errors) + 1e-9


def test_the_slope_of_a_forecast_that_says_nothing_is_0() -> None:
    assert forecast_slopes(np.zeros((50, 2)), np.ones((50, 2))) == [0.0, 0.0]
    assert forecast_slopes(np.ones((50, 2)), np.ones((50, 2)) * [-1.0, 3.0]) == [0.0, 1.0]


@settings(deadline=None)
@given(st.integers(100, 3_000), st.sampled_from([0.90, 0.95, 0.99]))
def test_the_quantile_is_numpys_of_the_corrected_coverage(count: int, coverage: float) -> None:
    errors = np.abs(np.random.default_rng(count).normal(size=count))
    middle_of_step = (np.ceil((count + 1) * coverage) - 0.5) / count
    assert conformal_quantile(errors, coverage) == np.quantile(errors, middle_of_step, method="inverted_cdf")


@settings(deadline=None)
@given(st.lists(st.floats(0, 10), min_size=100, max_size=400), st.sampled_from([0.90, 0.95, 0.99]))
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
    assert first.quantile_90 is not None
    assert first.quantile_90 < first.quantile_95 < first.quantile_99
    assert scales_of(errors) == pytest.approx(
        [np.sqrt(np.mean(errors[:, 0] ** 2)), np.sqrt(np.mean(errors[:, 1] ** 2))]
    )
