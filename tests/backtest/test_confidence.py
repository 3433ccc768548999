"""Bins of confidence: right where the confidence is honest, caught where it is not."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from predictor.training.backtest.confidence import confidence_of
from predictor.training.backtest.tables import Table

DATES, TICKERS = 1_500, 5


def table_of(confidence: Any, hit: Any, dates: Any, horizon: int = 1) -> Table:
    """Give a table that says no more than this."""
    ends, nothing = np.asarray(dates, np.int64), np.full(len(dates), np.nan)
    return Table(
        horizon,
        tickers=np.full(len(dates), "AAA"),
        as_of_ns=ends,
        matured_ns=ends,
        fallback=np.zeros(len(dates), np.bool_),
        predicted=nothing,
        actual=nothing,
        direction=nothing,
        usual=nothing,
        confidence=np.asarray(confidence, np.float64),
        hit=np.asarray(hit, np.float64),
        half_95=nothing,
        half_99=nothing,
        inside_95=nothing,
        inside_99=nothing,
        static_95=nothing,
        static_99=nothing,
        members={},
    )


def a_market(seed: int, *, too_sure: float = 0.0, horizon: int = 1) -> Table:
    """Give a table in which a hit is as likely as the confidence says, less what it is too sure."""
    random = np.random.default_rng(seed)
    confidence = random.uniform(0.5, 0.6, (DATES, TICKERS))
    shared = random.random((DATES, 1)) < 0.3  # on some dates all tickers are right or wrong together
    luck = np.where(shared, random.random((DATES, 1)), random.random((DATES, TICKERS)))
    dates = np.repeat(np.arange(DATES), TICKERS)
    return table_of(confidence.ravel(), (luck < confidence - too_sure).ravel(), dates, horizon)


def test_bins_have_equal_counts_and_rising_confidence() -> None:
    bins = confidence_of(a_market(1)).bins
    assert [each.trials for each in bins] == [DATES * TICKERS // 5] * 5
    means = [each.mean_confidence for each in bins]
    assert means == sorted(means)


def test_a_bin_says_what_its_rows_do() -> None:
    random = np.random.default_rng(2)
    confidence, hit = random.uniform(0.5, 0.7, 1_000), random.random(1_000) < 0.6
    order = np.argsort(confidence, kind="stable")
    found = confidence_of(table_of(confidence, hit, np.arange(1_000))).bins
    for part, each in zip(np.split(order, 5), found, strict=True):
        assert each.hit_rate == pytest.approx(hit[part].mean())
        assert each.mean_confidence == pytest.approx(confidence[part].mean())


@pytest.mark.parametrize("horizon", [1, 21])
def test_an_honest_confidence_is_seldom_called_overconfident_and_a_proud_one_always(horizon: int) -> None:
    honest = [confidence_of(a_market(seed, horizon=horizon)).overconfident for seed in range(40)]
    proud = [confidence_of(a_market(seed, too_sure=0.1, horizon=horizon)).overconfident for seed in range(10)]
    assert np.mean(np.array(honest, np.float64)) <= 0.3, "one side of five intervals at 95 %: 12 of 100 are expected"
    assert all(proud)


def test_what_is_no_trial_does_not_count() -> None:
    market = a_market(3)
    confidence, hit, dates = (np.append(column, more) for column, more in (
        (market.confidence, [0.9, 0.9]), (market.hit, [np.nan, np.nan]), (market.matured_ns, [1, 2]),
    ))  # fmt: skip
    assert confidence_of(table_of(confidence, hit, dates)) == confidence_of(market)


def test_too_few_dates_say_nothing_and_fewer_trials_than_bins_make_fewer_bins() -> None:
    few = confidence_of(table_of([0.6, 0.7, 0.8], [True, False, False], [1, 2, 3]))
    assert [(each.trials, each.hit_rate, each.hit_rate_low) for each in few.bins] == [
        (1, 1.0, None), (1, 0.0, None), (1, 0.0, None),
    ]  # fmt: skip
    assert few.overconfident is None
    none = confidence_of(table_of([], [], []))
    assert (none.trials, none.bins, none.brier_score) == (0, [], None)


def test_briers_score_is_scikit_learns_and_stands_beside_the_base_rates() -> None:
    market = a_market(4)
    found, hit = confidence_of(market), market.hit
    assert found.brier_score == pytest.approx(brier_score_loss(hit, market.confidence))
    assert found.brier_score_base_rate == pytest.approx(brier_score_loss(hit, np.full(len(hit), hit.mean())))
    assert found.trials == len(hit)
