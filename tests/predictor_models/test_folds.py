"""Folds by date: nothing that a fold's fit has seen is later than what it predicts, less purge and embargo."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from predictor.parameters import Parameters
from predictor.training.dataset import Dataset, dataset_from_bars
from predictor.training.fitting import Fit, Progress
from predictor.training.folds import MINIMUM_FOLD_TRAINED, expanding_folds, fold_rows
from predictor.training.split import TooFewSamplesError, hold_out_split
from tests.predictor_models.examples import DAY_NS, HORIZONS, random_samples, random_walk
from tests.predictor_models.test_leakage import changed_from, same_features


@settings(max_examples=40, deadline=None)
@given(st.integers(350, 600), st.integers(1, 4), st.integers(2, 4), st.integers(0, 1_000))
def test_no_label_of_a_folds_fit_reaches_the_embargo_before_what_it_predicts(
    dates: int, tickers: int, count: int, seed: int
) -> None:
    samples = random_samples(seed, dates, tickers)
    keep = np.random.default_rng(seed).random(len(samples)) < 0.9  # tickers that do not trade every day
    samples = samples.rows(keep)
    days = np.unique(samples.as_of_ns)
    folds = expanding_folds(samples, count)
    for fold in folds:
        first = np.searchsorted(days, fold.after.as_of_ns.min())
        assert fold.before.label_end_ns.max() < days[first - max(HORIZONS)]
        assert len(fold.before) >= MINIMUM_FOLD_TRAINED


def test_folds_expand_and_what_they_predict_lies_side_by_side_to_the_end() -> None:
    samples = random_samples(1, 400, 3)
    folds = expanding_folds(samples, 3)
    assert len(folds) == 3
    for earlier, later in pairwise(folds):
        assert len(earlier.before) < len(later.before)
        assert earlier.after.as_of_ns.max() + DAY_NS == later.after.as_of_ns.min()
    assert folds[-1].after.as_of_ns.max() == samples.as_of_ns.max()
    predicted = np.concatenate([fold.after.log_returns for fold in folds])
    assert np.array_equal(predicted, samples.log_returns[-len(predicted) :])


def test_the_dates_are_those_of_scikit_learn_less_the_purge() -> None:
    samples = random_samples(2, 300, 2)
    days = np.unique(samples.as_of_ns)
    splits = TimeSeriesSplit(n_splits=3, gap=21).split(days)
    for (trained, tested), (before, after) in zip(splits, fold_rows(samples, 3), strict=True):
        assert np.unique(samples.as_of_ns[after]).tolist() == days[tested].tolist()
        assert np.unique(samples.as_of_ns[before]).tolist() == days[trained][:-21].tolist()


def test_fewer_folds_where_the_dates_do_not_suffice_and_an_error_where_not_even_two_do() -> None:
    assert len(expanding_folds(random_samples(3, 240, 3), 4)) == 3
    with pytest.raises(TooFewSamplesError, match="too few for two folds that are 21 bars apart"):
        expanding_folds(random_samples(3, 60, 9))
    with pytest.raises(TooFewSamplesError, match="0 samples on 0 dates"):
        expanding_folds(random_samples(3, 60, 9).rows(slice(0, 0)))


def same_labels(one: Dataset, other: Dataset) -> bool:
    return np.array_equal(one.log_returns, other.log_returns) and np.array_equal(one.as_of_ns, other.as_of_ns)


BARS = {"AAA": random_walk(1, 700), "BBB": random_walk(2, 650, first_day=50)}


def fit_by_name(name: str) -> Fit:
    from predictor.training.recipes import recipes

    return recipes(Parameters())[name].fit_fold


@pytest.mark.parametrize("name", ["forest", "xgboost", "arima"])
def test_changing_what_comes_later_changes_nothing_of_a_folds_model(name: str) -> None:
    known = hold_out_split(dataset_from_bars(BARS, "1d", HORIZONS)).before
    fit = fit_by_name(name)
    for number, fold in enumerate(expanding_folds(known)):
        first_ns = int(fold.after.as_of_ns.min())
        bars = {ticker: changed_from(columns, first_ns - DAY_NS, 5) for ticker, columns in BARS.items()}
        other = expanding_folds(hold_out_split(dataset_from_bars(bars, "1d", HORIZONS)).before)[number]
        assert same_features(fold.before.batch, other.before.batch)
        assert same_labels(fold.before, other.before)
        assert not same_features(fold.after.batch, other.after.batch), "the change must be seen by somebody"
        model, alike = (fit(each.before, 3, Progress(1)) for each in (fold, other))
        assert model.export() == alike.export()


def without_purge(samples: Dataset) -> list[tuple[Dataset, Dataset]]:
    """Split as a careless hand would: by date alone."""
    days = np.unique(samples.as_of_ns)
    return [
        (samples.rows(samples.as_of_ns < days[tested[0]]), samples.rows(samples.as_of_ns >= days[tested[0]]))
        for _, tested in TimeSeriesSplit(n_splits=3).split(days)
    ]


def test_without_the_purge_later_bars_do_reach_the_fit() -> None:
    """What the test above proves is not true of any split."""
    known = dataset_from_bars(BARS, "1d", HORIZONS)
    before, after = without_purge(known)[0]
    first_ns = int(after.as_of_ns.min())
    bars = {ticker: changed_from(columns, first_ns - DAY_NS, 5) for ticker, columns in BARS.items()}
    other, _ = without_purge(dataset_from_bars(bars, "1d", HORIZONS))[0]
    assert same_features(before.batch, other.batch)
    assert not same_labels(before, other)
