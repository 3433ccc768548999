"""Scores against sums by hand."""

import math

import numpy as np
import pytest

from predictor.training.scoring import baselines, constant_direction, score, score_table, usual_directions
from tests.predictor_models.examples import HORIZONS, hold_out_scores, manifest, random_samples


def test_errors_and_hit_rate_are_what_they_say() -> None:
    actual = np.array([[0.1], [-0.2], [0.0], [0.3]])
    predicted = np.array([[0.2], [0.1], [0.1], [0.1]])
    (scored,) = score((5,), predicted, actual)
    assert (scored.horizon, scored.count) == (5, 4)
    assert scored.mean_absolute_error == pytest.approx((0.1 + 0.3 + 0.1 + 0.2) / 4)
    assert scored.root_mean_squared_error == pytest.approx(math.sqrt((0.01 + 0.09 + 0.01 + 0.04) / 4))
    assert scored.hit_rate == pytest.approx(2 / 3), "the row that did not move has no direction"


def test_no_change_has_errors_and_no_direction() -> None:
    past, held_out = random_samples(1, 200, 3), random_samples(2, 50, 3)
    for column, scored in enumerate(baselines(past, held_out)["no_change"]):
        assert scored.hit_rate is None
        assert scored.mean_absolute_error == pytest.approx(np.abs(held_out.log_returns[:, column]).mean())


def test_constant_direction_is_the_pasts_and_not_the_hold_outs() -> None:
    past, held_out = random_samples(1, 200, 3), random_samples(2, 50, 3)
    rising, falling = np.abs(past.log_returns), -np.abs(held_out.log_returns)
    past.log_returns[:], held_out.log_returns[:] = rising, falling
    assert (constant_direction(past, held_out.units()) > 0).all()
    assert [scored.hit_rate for scored in baselines(past, held_out)["constant_direction"]] == [0.0] * len(HORIZONS)


def test_the_usual_direction_is_the_more_frequent_one_of_each_horizon() -> None:
    samples = random_samples(1, 201, 1)
    samples.log_returns[:] = np.where(np.arange(201) < 101, 0.01, -0.05)[:, None] * [1.0, -1.0, 0.0]
    assert usual_directions(samples) == ["bullish", "bearish", "bullish"]


def test_constant_direction_goes_by_the_size_of_the_pasts_mean_scaled_return() -> None:
    past, held_out = random_samples(1, 200, 3), random_samples(2, 50, 3)
    past.log_returns[:] = past.units() * np.where(np.arange(len(past)) % 3 == 0, 1.0, -1.0)[:, None]
    said = constant_direction(past, held_out.units())
    assert np.allclose(said, -np.abs(2 / 3 - 1 / 3) * held_out.units(), rtol=0.02)


def test_the_table_has_a_line_for_every_horizon_and_forecaster() -> None:
    lines = score_table(manifest(hold_out=hold_out_scores())).splitlines()
    for name in ("forest", "lstm", "ensemble", "no_change", "constant_direction"):
        assert sum(name in line for line in lines) == len(HORIZONS)
