"""Bins of confidence: right where the confidence is honest, caught where it is not."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from predictor.training.reliability import Bin, brier_score, overconfident, reliability_bins

DATES, TICKERS = 1_500, 5


def a_market(seed: int, *, too_sure: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give confidences, hits and dates; a hit is as likely as the confidence says, less what it is too sure."""
    random = np.random.default_rng(seed)
    confidence = random.uniform(0.5, 0.6, (DATES, TICKERS))
    shared = random.random((DATES, 1)) < 0.3  # on some dates all tickers are right or wrong together
    luck = np.where(shared, random.random((DATES, 1)), random.random((DATES, TICKERS)))
    dates = np.repeat(np.arange(DATES), TICKERS)
    return confidence.ravel(), (luck < confidence - too_sure).ravel(), dates


def test_bins_have_equal_counts_and_rising_confidence() -> None:
    confidence, hit, dates = a_market(1)
    found = reliability_bins(confidence, hit, dates)
    assert [each.trials for each in found] == [DATES * TICKERS // 5] * 5
    means = [each.mean_confidence for each in found]
    assert means == sorted(means)
    assert all(each.low < each.hit_rate < each.high for each in found)


def test_a_bin_says_what_its_rows_do_where_each_date_has_one() -> None:
    random = np.random.default_rng(2)
    confidence, hit = random.uniform(0.5, 0.7, 1_000), random.random(1_000) < 0.6
    order = np.argsort(confidence, kind="stable")
    for part, found in zip(np.split(order, 5), reliability_bins(confidence, hit, np.arange(1_000)), strict=True):
        assert found.hit_rate == pytest.approx(hit[part].mean())
        assert found.mean_confidence == pytest.approx(confidence[part].mean())


@pytest.mark.parametrize("horizon", [1, 21])
def test_an_honest_confidence_is_seldom_called_overconfident_and_a_proud_one_always(horizon: int) -> None:
    honest = [overconfident(reliability_bins(*a_market(seed), horizon=horizon)) for seed in range(40)]
    proud = [overconfident(reliability_bins(*a_market(seed, too_sure=0.1), horizon=horizon)) for seed in range(10)]
    assert np.mean(honest) <= 0.3, "one side of five intervals at 95 %: 12 of 100 are expected"
    assert all(proud)


def test_what_is_no_trial_does_not_count() -> None:
    confidence, hit, dates = a_market(3)
    more = [*hit.tolist(), None, float("nan")]
    assert reliability_bins([*confidence, 0.9, 0.9], more, [*dates, 1, 2]) == reliability_bins(confidence, hit, dates)
    assert brier_score([*confidence, 0.9, 0.9], more) == brier_score(confidence, hit)


def test_too_few_dates_say_nothing_and_fewer_trials_than_bins_make_fewer_bins() -> None:
    few = reliability_bins([0.6, 0.7, 0.8], [True, False, False], [1, 2, 3])
    assert few == [Bin(0.6, 1.0, 0.0, 1.0, 1), Bin(0.7, 0.0, 0.0, 1.0, 1), Bin(0.8, 0.0, 0.0, 1.0, 1)]
    assert not overconfident(few)
    assert reliability_bins([], [], []) == []


def test_briers_score_is_scikit_learns_and_stands_beside_the_base_rates() -> None:
    confidence, hit, _ = a_market(4)
    found = brier_score(confidence, hit)
    assert found is not None
    assert found.score == pytest.approx(brier_score_loss(hit, confidence))
    assert found.base_rate_score == pytest.approx(brier_score_loss(hit, np.full(len(hit), hit.mean())))
    assert found.trials == len(hit)
    assert brier_score([], []) is None
