"""Drift: Page and Hinkley's test against its definition, and on prices before 2010."""

from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from numpy.typing import NDArray

from feature_stream.drift import (
    ERROR_TEST,
    LOSS_TEST,
    PageHinkley,
    drift_of,
    errors_beside_their_past,
    page_hinkley,
)
from ingestor.sources.daily_prices import load_daily_bars
from schemas.times import from_rfc3339

TEST = PageHinkley(allowance=0.1, threshold=2.0, least_dates=3)
KEPT_DATES = 1_000


@given(some.lists(some.floats(-5, 5), min_size=1, max_size=60))
def test_the_sum_is_that_of_the_definition(values: list[float]) -> None:
    x = np.array(values)
    sums = np.cumsum([x[k] - x[: k + 1].mean() - TEST.allowance for k in range(len(x))])
    above = sums - np.minimum.accumulate(np.minimum(sums, 0.0))
    state = page_hinkley(values, TEST)
    assert state.excess == pytest.approx(above[-1] / TEST.threshold, abs=1e-9)
    if above[-1] > TEST.threshold + 1e-9 and len(x) >= TEST.least_dates:
        assert state.dates_in_alarm > 0
    if above.max() < TEST.threshold - 1e-9 or above[-1] < TEST.threshold / 2 - 1e-9:
        assert state.dates_in_alarm == 0


def test_an_alarm_begins_above_the_threshold_and_ends_at_half_of_it() -> None:
    test = PageHinkley(allowance=0.0, threshold=4.0, least_dates=1)
    values = [0.0] * 50 + [1.0] * 10
    states = [page_hinkley(values[:count], test).dates_in_alarm for count in range(1, len(values) + 1)]
    first = next(place for place, dates in enumerate(states) if dates)
    assert 50 < first < 58
    assert states[first:] == list(range(1, len(values) - first + 1))
    calm = [page_hinkley(values + [-1.0] * more, test) for more in range(1, 20)]
    ended = next(state for state in calm if not state.dates_in_alarm)
    assert 0.2 < ended.excess <= 0.5


def test_errors_are_held_against_the_dates_before_them() -> None:
    drawn: NDArray[np.float64] = np.random.default_rng(1).standard_t(3, 700) ** 2
    squares = pd.Series(drawn)
    expected = (squares / squares.rolling(250, min_periods=60).mean().shift()).clip(upper=9)[60:]
    assert errors_beside_their_past(drawn) == pytest.approx(expected.to_numpy())
    assert len(errors_beside_their_past(np.ones(59))) == 0
    assert errors_beside_their_past(np.zeros(61)).tolist() == [1.0]
    assert errors_beside_their_past(np.append(np.zeros(60), 1.0)).tolist() == [9.0]


def test_without_dates_all_is_stable() -> None:
    assert drift_of(np.zeros(0), np.zeros(0)) == {
        "dates": "0",
        "error": "stable",
        "error_dates": "0",
        "error_excess": "0.000",
        "loss": "stable",
        "loss_dates": "0",
        "loss_excess": "0.000",
        "retrain": "no",
    }


@cache
def squares_before_2010() -> NDArray[np.float64]:
    """Mean squared daily returns of the bundled tickers, which are the errors of no change."""
    bars = load_daily_bars(end_ns=from_rfc3339("2010-01-01"))
    returns = [
        pd.Series(np.log(column.close[1:] / column.close[:-1]), index=column.start_ns[1:])
        for column in bars.values()
        if len(column.close) > 500
    ]
    squares: NDArray[np.float64] = pd.concat(returns, axis=1).pow(2).mean(axis=1).sort_index().to_numpy()
    return squares


def in_alarm(squares: NDArray[np.float64], at: int) -> bool:
    """Tell what a board as of a date says, which looks back on the dates that are kept."""
    values = errors_beside_their_past(squares[max(0, at + 1 - KEPT_DATES) : at + 1])
    return page_hinkley(values.tolist(), ERROR_TEST).dates_in_alarm > 0


def test_alarms_are_seldom() -> None:
    squares = squares_before_2010()
    said = [in_alarm(squares, at) for at in range(100, len(squares), 2)]
    begun = sum(now and not before for before, now in pairwise(said))
    assert begun <= 3 * len(squares) / 1_000


def test_returns_three_times_as_large_are_noticed_within_thirty_bars() -> None:
    squares, noticed = squares_before_2010(), 0
    for at in range(300, 2_300, 100):
        wild = squares.copy()
        wild[at:] *= 9.0
        noticed += any(in_alarm(wild, date) for date in range(at, at + 31))
    assert noticed >= 16


def losses(seeds: int, dates: int, broken_from: int | None) -> NDArray[np.float64]:
    """Losses of forecasts without skill, a tenth of the volatility; broken ones are as large as the returns."""
    rng = np.random.default_rng(2)
    actual = (
        np.sqrt(0.5) * (rng.standard_t(5, (seeds, 1, dates)) + rng.standard_t(5, (seeds, 5, dates))) / np.sqrt(5 / 3)
    )
    forecast = 0.1 * rng.standard_normal((seeds, 5, dates))
    if broken_from is not None:
        forecast[:, :, broken_from:] *= 10.0
    given: NDArray[np.float64] = ((actual - forecast) ** 2 - actual**2).mean(axis=1)
    return given


def test_the_loss_of_useless_forecasts_is_stable_and_that_of_broken_ones_is_not() -> None:
    calm = [page_hinkley(series.tolist(), LOSS_TEST) for series in losses(60, KEPT_DATES, None)]
    assert sum(state.dates_in_alarm > 0 for state in calm) <= 3
    broken = [page_hinkley(series.tolist(), LOSS_TEST) for series in losses(60, 530, 500)]
    assert sum(state.dates_in_alarm > 0 for state in broken) >= 48


def test_a_loss_asks_for_a_retrain_at_once_and_errors_when_they_last() -> None:
    steady = np.full(400, 1.0) + 0.1 * np.sin(np.arange(400))
    wild = np.append(steady, np.full(90, 8.0))
    assert drift_of(steady, np.zeros(400))["retrain"] == "no"
    assert drift_of(steady, np.append(np.zeros(400), np.full(30, 1.0)))["retrain"] == "asked"
    young, old = drift_of(wild[:420], np.zeros(420)), drift_of(wild, np.zeros(490))
    assert (young["error"], young["retrain"]) == ("alarm", "no")
    assert (old["error"], old["retrain"]) == ("alarm", "asked")
    assert int(old["error_dates"]) >= 60
