"""How sure a mean is: against plain loops and scipy, and by what it claims of forecasts without skill."""

import importlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

from feature_stream.uncertainty import (
    MeanByDate,
    compare_hits,
    compare_losses,
    date_means,
    lags_of,
    least_dates,
    long_run_variances,
    mean_by_date,
    means_by_date,
    small_sample_factor,
)
from tests.feature_stream import score_reference
from tests.feature_stream.skill_worlds import World, losses_and_hits, overlapping_returns

SEEDS = 400
LEVEL = 0.05

series = some.lists(some.floats(-10, 10), min_size=2, max_size=40).map(np.array)


@given(series, some.integers(0, 60))
def test_the_variance_is_that_of_plain_loops(values: NDArray[np.float64], lags: int) -> None:
    assert long_run_variances(values[None], lags)[0] == pytest.approx(
        score_reference.long_run_variance(values, lags), rel=1e-7, abs=1e-9
    )


@pytest.mark.parametrize("lags", [0, 1, 10, 42])
def test_the_variance_is_statsmodels(lags: int) -> None:
    pytest.importorskip("statsmodels")
    linear = importlib.import_module("statsmodels.regression.linear_model")
    values = np.random.default_rng(1).standard_normal(300).cumsum()
    fit = linear.OLS(values, np.ones(300)).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
    assert math.sqrt(long_run_variances(values[None], lags)[0] / 300) == pytest.approx(float(fit.bse[0]), rel=1e-9)


def test_the_small_sample_factor_is_that_of_the_paper() -> None:
    assert small_sample_factor(100, 1) == pytest.approx(math.sqrt(99 / 100))
    assert small_sample_factor(100, 4) == pytest.approx(math.sqrt(0.9312))
    assert small_sample_factor(250, 21) == pytest.approx(math.sqrt((251 - 42 + 1.68) / 250))


@pytest.mark.parametrize(("horizon", "lags"), [(1, 10), (5, 10), (6, 12), (21, 42)])
def test_the_lags_are_ten_or_twice_the_horizon(horizon: int, lags: int) -> None:
    assert lags_of(horizon) == lags


@pytest.mark.parametrize("horizon", [1, 5, 21])
def test_mean_error_p_values_and_interval_are_those_of_loops_and_scipy(horizon: int) -> None:
    n = least_dates(horizon) + 9
    values = np.random.default_rng(horizon).standard_normal(n) + 0.1
    expected = score_reference.mean_and_error(values, horizon)
    found = mean_by_date(values, horizon)
    assert found is not None
    assert expected is not None
    assert (found.mean, found.standard_error) == pytest.approx(expected, rel=1e-9)
    law = stats.t(n - 1, *expected)
    assert found.p_above == pytest.approx(float(stats.t.sf(expected[0] / expected[1], n - 1)))
    assert found.p_below == pytest.approx(1 - found.p_above)
    assert found.p_two_sided == pytest.approx(2 * min(found.p_above, found.p_below))
    assert found.interval() == pytest.approx(law.interval(0.95))
    assert found.interval(0.99) == pytest.approx(law.interval(0.99))


def test_many_series_at_once_are_as_one_by_one() -> None:
    series = np.random.default_rng(3).standard_normal((5, 230))
    series[2] = 0.7
    assert means_by_date(series, 1) == [mean_by_date(values, 1) for values in series]
    assert means_by_date(series, 1)[2] is None
    assert means_by_date(series[:0], 1) == []


def test_values_are_averaged_over_the_tickers_of_a_date() -> None:
    dates, means = date_means([30, 10, 30, 20, 10], [1.0, 2.0, 3.0, 5.0, 4.0])
    assert dates.tolist() == [10, 20, 30]
    assert means.tolist() == [3.0, 5.0, 2.0]


@pytest.mark.parametrize(
    "values",
    [[], [1.0], [0.3] * 400, [0.1 + 0.2] * 399 + [0.3], [0.0] * 400, [math.nan] * 400, [1.0, math.inf] * 200],
    ids=["none", "one", "constant", "constant but for rounding", "zeros", "no numbers", "infinite"],
)
def test_where_nothing_can_be_told_nothing_is(values: list[float]) -> None:
    assert mean_by_date(values, 1) is None
    assert compare_losses(values, [0.0] * len(values), 1) is None
    assert compare_hits(range(len(values)), values, [0.0] * len(values), 1) is None


@pytest.mark.parametrize("horizon", [1, 5, 21, 63])
def test_with_too_few_dates_nothing_is_told(horizon: int) -> None:
    values = np.random.default_rng(0).standard_normal(least_dates(horizon))
    assert mean_by_date(values, horizon) is not None
    assert mean_by_date(values[1:], horizon) is None


def test_who_knows_what_it_does_may_ask_of_fewer_dates() -> None:
    values = np.random.default_rng(0).standard_normal(126) + 0.3
    sure = mean_by_date(values, 1, least=126)
    assert sure is not None
    assert sure.dates == 126
    assert sure.mean == pytest.approx(values.mean())
    assert compare_losses(values, np.zeros(126), 1, least=126) == sure
    assert mean_by_date(values, 1, least=127) is None
    assert mean_by_date(values, 63, least=1) is None, "the correction needs more than two horizons"


def rejected(results: list[MeanByDate | None]) -> float:
    return float(np.mean([result is not None and result.p_two_sided < LEVEL for result in results]))


WORLDS = [World(), World(tickers=5), World(tickers=5, persistence=0.9), World(tickers=5, turbulent=True)]


@pytest.mark.parametrize("world", WORLDS, ids=str)
@pytest.mark.parametrize(
    ("horizon", "dates", "seeds", "most"),
    [
        (1, least_dates(1), 5 * SEEDS, 0.08),
        (1, 500, SEEDS, 0.08),
        (21, least_dates(21), SEEDS, 0.12),
        (21, 750, SEEDS, 0.12),
    ],
)
def test_two_forecasts_without_skill_seldom_differ(
    world: World, horizon: int, dates: int, seeds: int, most: float
) -> None:
    """In their losses, and one of them in its hits from the constant direction."""
    losses, hits = [], []
    for ours, theirs, hit, usual in losses_and_hits(world, horizon, dates, seeds):
        losses.append(compare_losses(ours, theirs, horizon))
        hits.append(compare_hits(range(dates), hit, usual, horizon))
    for results in (losses, hits):
        assert all(result is not None for result in results)
        assert 0.01 <= rejected(results) <= most


@pytest.mark.parametrize(("horizon", "dates", "most"), [(1, 250, 0.08), (21, 750, 0.12)])
def test_a_rising_market_makes_no_skill(horizon: int, dates: int, most: float) -> None:
    """A coin as a forecast, in a market that rises on more days than it falls."""
    world = World(drift=0.1)
    seldom, often = [], []
    for _, _, hits, usual in losses_and_hits(world, horizon, dates, SEEDS):
        result = compare_hits(range(dates), hits, usual, horizon)
        against_half = mean_by_date(usual - 0.5, horizon)
        assert result is not None
        assert against_half is not None
        seldom.append(result.p_above < LEVEL)
        often.append(against_half.p_above < LEVEL)
    assert np.mean(seldom) <= most
    assert np.mean(often) > 0.2, "a test against 50 % would call the usual direction skill"


def test_the_usual_direction_itself_is_never_skill() -> None:
    hits = np.random.default_rng(0).random(500) < 0.6
    assert compare_hits(range(500), hits, hits, 1) is None


@pytest.mark.parametrize(("horizon", "skill"), [(1, 0.3), (21, 0.8)])
def test_skill_is_found(horizon: int, skill: float) -> None:
    found = []
    for ours, theirs, hits, usual in losses_and_hits(World(skill=skill), horizon, 500, 50):
        better, more = compare_losses(ours, theirs, horizon), compare_hits(range(500), hits, usual, horizon)
        assert better is not None
        assert more is not None
        assert better.p_above == pytest.approx(1 - better.p_below)
        found.append(better.p_below < LEVEL and more.p_above < LEVEL)
    assert np.mean(found) > 0.8


@pytest.mark.parametrize(("horizon", "least"), [(1, 0.92), (21, 0.86)])
def test_intervals_of_overlapping_returns_hold_their_mean(horizon: int, least: float) -> None:
    held = []
    for values in overlapping_returns(np.random.default_rng(5), World(), horizon, 500, SEEDS)[:, 0]:
        sure = mean_by_date(values, horizon)
        assert sure is not None
        low, high = sure.interval()
        held.append(low <= 0.0 <= high)
    assert least <= np.mean(held) <= 0.98
