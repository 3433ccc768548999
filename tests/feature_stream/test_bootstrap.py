"""The stationary bootstrap: its variance is known in closed form."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from feature_stream.bootstrap import bootstrap_interval, stationary_indices
from feature_stream.uncertainty import least_dates, mean_by_date


def wavy(n: int, seed: int = 3) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).standard_normal(n + 4)
    return np.convolve(noise, np.ones(5) / 5, "valid")


def test_every_step_goes_on_or_begins_anew_and_blocks_are_as_long_as_asked() -> None:
    places = stationary_indices(50, 8.0, 4_000, seed=1)
    assert places.shape == (4_000, 50)
    assert places.min() == 0
    assert places.max() == 49
    goes_on = np.mean((places[:, :-1] + 1) % 50 == places[:, 1:])
    assert goes_on == pytest.approx(7 / 8 + 1 / 8 / 50, abs=0.004)
    assert np.bincount(places.ravel(), minlength=50) / places.size == pytest.approx(np.full(50, 1 / 50), rel=0.06)


def test_the_variance_of_the_mean_is_that_of_the_paper() -> None:
    """Politis and Romano (1994), lemma 1."""
    values, block, n = wavy(80), 6.0, 80
    d, p = values - values.mean(), 1 / block
    covariances = [float(d[: n - i] @ d[i:]) / n for i in range(n)]
    weights = [(1 - i / n) * (1 - p) ** i + i / n * (1 - p) ** (n - i) for i in range(n)]
    expected = (covariances[0] + 2 * sum(w * c for w, c in zip(weights[1:], covariances[1:], strict=True))) / n
    means = values[stationary_indices(n, block, 40_000, seed=2)].mean(axis=1)
    assert means.var() == pytest.approx(expected, rel=0.04)


def test_a_block_of_one_is_the_plain_bootstrap() -> None:
    values = wavy(100)
    means = values[stationary_indices(100, 1.0, 40_000, seed=4)].mean(axis=1)
    assert means.std() == pytest.approx(values.std() / 10, rel=0.03)


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    values = wavy(300)
    first = bootstrap_interval(values, 5, seed=1)
    assert first == bootstrap_interval(values, 5, seed=1)
    assert first != bootstrap_interval(values, 5, seed=2)


@pytest.mark.parametrize("horizon", [1, 21])
def test_the_interval_is_near_to_that_of_the_variance(horizon: int) -> None:
    values = wavy(600)
    sure = mean_by_date(values, horizon)
    drawn = bootstrap_interval(values, horizon, seed=7)
    assert sure is not None
    assert drawn is not None
    low, high = sure.interval()
    assert drawn[1] - drawn[0] == pytest.approx(high - low, rel=0.25)
    assert sum(drawn) / 2 == pytest.approx(sure.mean, abs=0.1 * (high - low))


def test_it_takes_any_statistic() -> None:
    values = wavy(300)
    interval = bootstrap_interval(values, 1, seed=1, statistic=lambda drawn: np.median(drawn, axis=1))
    assert interval is not None
    assert interval[0] < float(np.median(values)) < interval[1]


def test_where_nothing_can_be_told_nothing_is() -> None:
    assert bootstrap_interval([], 1, seed=1) is None
    assert bootstrap_interval([1.0], 1, seed=1) is None
    assert bootstrap_interval([0.5] * 400, 1, seed=1) is None
    assert bootstrap_interval([math.nan] * 400, 1, seed=1) is None
    assert bootstrap_interval(wavy(least_dates(21) - 1), 21, seed=1) is None
