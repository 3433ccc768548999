"""The forecaster without training, against the standard library."""

import math
from statistics import NormalDist, fmean, stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.intervals import NORMAL_95
from predictor.models.base import Batch
from predictor.models.statistical import FEWEST_RETURNS, StatisticalForecaster, normal_confidence
from schemas.features import RETURNS_COUNT
from tests.predictor_models.examples import HORIZONS, random_batch

returns_of_one = st.lists(st.floats(-0.5, 0.5), min_size=FEWEST_RETURNS, max_size=RETURNS_COUNT)


def batch_of(histories: list[list[float]]) -> Batch:
    returns = np.full((len(histories), RETURNS_COUNT), np.nan)
    for row, history in zip(returns, histories, strict=True):
        if history:
            row[-len(history) :] = history
    empty = random_batch(1, len(histories))
    return Batch(empty.model_inputs, empty.sequence, returns, np.full(len(histories), np.nan))


@settings(deadline=None)
@given(st.lists(returns_of_one, min_size=1, max_size=5))
def test_mean_and_deviation_of_each_row_are_the_standard_librarys(histories: list[list[float]]) -> None:
    forecast = StatisticalForecaster(HORIZONS).predict(batch_of(histories))
    for row, history in enumerate(histories):
        for column, horizon in enumerate(HORIZONS):
            assert forecast.log_returns[row, column] == pytest.approx(fmean(history) * horizon, abs=1e-12)
            expected = stdev(history) * math.sqrt(horizon * (1 + horizon / len(history)))
            assert forecast.spreads[row, column] == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("count", [0, 1, 2, FEWEST_RETURNS - 1])
def test_with_a_few_returns_it_predicts_no_change_of_unknown_spread(count: int) -> None:
    enough = [0.1, 0.2] * (FEWEST_RETURNS // 2)
    forecast = StatisticalForecaster(HORIZONS).predict(batch_of([enough[:count], enough]))
    assert (forecast.log_returns[0] == 0.0).all()
    assert np.isnan(forecast.spreads[0]).all()
    assert forecast.log_returns[1, 0] == pytest.approx(0.15)
    assert np.isfinite(forecast.spreads[1]).all()


@pytest.mark.parametrize(("count", "least"), [(FEWEST_RETURNS, 0.9), (20, 0.92), (RETURNS_COUNT, 0.935)])
def test_intervals_of_a_random_walk_hold_about_as_often_as_they_say(count: int, least: float) -> None:
    random = np.random.default_rng(count)
    walks, future = random.normal(0, 0.02, (4_000, count)), random.normal(0, 0.02, (4_000, max(HORIZONS)))
    forecast = StatisticalForecaster(HORIZONS).predict(batch_of(walks.tolist()))
    came = future.cumsum(axis=1)[:, np.array(HORIZONS) - 1]
    covered = (np.abs(came - forecast.log_returns) <= NORMAL_95 * forecast.spreads).mean(axis=0)
    assert ((covered > least) & (covered < 0.96)).all(), covered


@settings(deadline=None)
@given(st.floats(-0.3, 0.3), st.floats(1e-4, 1.0))
def test_confidence_is_the_normal_probability_of_the_right_direction(log_return: float, spread: float) -> None:
    assert normal_confidence(log_return, spread) == pytest.approx(NormalDist().cdf(abs(log_return) / spread), abs=1e-12)


def test_confidence_without_a_spread_or_a_return_is_a_coins() -> None:
    assert normal_confidence(0.1, math.nan) == 0.5
    assert normal_confidence(0.0, 0.0) == 0.5
    assert normal_confidence(0.1, 0.0) == 1.0
