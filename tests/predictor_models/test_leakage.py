"""Nothing that happens later may reach a sample, a fit or a scaler."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.sources.bars import BarColumns
from predictor.models.base import Batch
from predictor.training.dataset import Dataset, dataset_from_bars, last_bars
from predictor.training.history import bars_before_start
from predictor.training.settings import TrainingSettings
from predictor.training.split import TooFewSamplesError, hold_out_split, split_by_date
from schemas.errors import StopAndSayError
from schemas.times import from_rfc3339
from tests.predictor_models.examples import DAY_NS, HORIZONS, random_samples, random_walk

BARS = {"AAA": random_walk(1, 200), "BBB": random_walk(2, 150, first_day=30)}


def same_features(one: Batch, other: Batch) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for name in ("model_inputs", "sequence", "returns", "volatility")
    )


def changed_from(columns: BarColumns, time_ns: int, seed: int) -> BarColumns:
    """Replace every bar that starts at or after a time by another one."""
    later = columns.start_ns >= time_ns
    factor = np.where(later, np.random.default_rng(seed).uniform(0.2, 5.0, len(columns)), 1.0)
    changes = {name: getattr(columns, name) * factor for name in ("open", "high", "low", "close", "volume")}
    return replace(columns, **changes)


@settings(max_examples=20, deadline=None)
@given(st.integers(40, 195), st.integers(0, 1_000))
def test_what_happens_after_a_sample_changes_nothing_of_it(day: int, seed: int) -> None:
    known = dataset_from_bars(BARS, "1d", HORIZONS)
    changed = {ticker: changed_from(columns, day * DAY_NS, seed) for ticker, columns in BARS.items()}
    other = dataset_from_bars(changed, "1d", HORIZONS)
    before = known.as_of_ns <= day * DAY_NS
    assert same_features(known.rows(before).batch, other.rows(before).batch)
    labelled = known.label_end_ns <= day * DAY_NS
    assert np.array_equal(known.log_returns[labelled], other.log_returns[labelled])
    if before.any() and not before.all():
        after = known.rows(~before)
        assert not same_features(after.batch, other.rows(~before).batch), "the change must be seen by somebody"


def test_a_label_is_the_log_return_from_the_close_to_the_close_so_many_bars_later() -> None:
    dataset = dataset_from_bars({"BBB": BARS["BBB"]}, "1d", HORIZONS)
    closes = dict(zip((BARS["BBB"].start_ns + DAY_NS).tolist(), BARS["BBB"].close.tolist(), strict=True))
    for as_of_ns, label_end_ns, returns in zip(
        dataset.as_of_ns.tolist(), dataset.label_end_ns.tolist(), dataset.log_returns, strict=True
    ):
        assert label_end_ns == as_of_ns + 21 * DAY_NS
        for horizon, value in zip(HORIZONS, returns, strict=True):
            assert value == pytest.approx(np.log(closes[as_of_ns + horizon * DAY_NS] / closes[as_of_ns]))


def test_targets_are_returns_over_volatility_and_root_horizon_clipped_at_five() -> None:
    dataset = random_samples(3, 40, 2)
    dataset.log_returns[0] = [1.0, -1.0, 9.0]
    expected = dataset.log_returns / (dataset.batch.volatility[:, None] * np.sqrt(HORIZONS))
    assert np.allclose(dataset.targets(), np.clip(expected, -5, 5), atol=1e-6)
    assert dataset.targets()[0].tolist() == [5.0, -5.0, 5.0]


def assert_purged(before: Dataset, after: Dataset) -> None:
    assert len(after)
    assert not len(before) or before.label_end_ns.max() < after.as_of_ns.min()


@settings(deadline=None)
@given(st.integers(30, 300), st.integers(1, 4), st.floats(0.05, 0.5))
def test_no_training_label_closes_at_or_after_the_first_moment_held_out(dates: int, tickers: int, share: float) -> None:
    dataset = random_samples(dates, dates, tickers)
    split = split_by_date(dataset, share)
    assert_purged(split.before, split.after)
    assert len(split.before) + len(split.after) + 21 * tickers >= len(dataset), "no more than the horizon is purged"


def test_the_hold_out_of_the_real_prices_is_purged_and_the_last_fifteen_percent() -> None:
    dataset = dataset_from_bars(bars_before_start(TrainingSettings(_env_file=None)), "1d", HORIZONS)
    split = hold_out_split(dataset)
    assert_purged(split.before, split.after)
    dates = np.unique(dataset.as_of_ns)
    assert len(np.unique(split.after.as_of_ns)) / len(dates) == pytest.approx(0.15, abs=0.001)
    assert split.after.as_of_ns.max() == dates[-1]


def test_no_bar_that_ends_after_the_first_live_moment_is_loaded() -> None:
    for start in ("2010-01-04", "2010-01-04T14:30:00Z", "2010-01-05T23:59:59Z"):
        history = bars_before_start(TrainingSettings(_env_file=None, start=start))
        ends = [int(columns.start_ns.max()) + DAY_NS for columns in history.values() if len(columns)]
        assert len(ends) == 4, "FB does not trade yet"
        assert max(ends) <= from_rfc3339(start)
    dataset = dataset_from_bars(bars_before_start(TrainingSettings(_env_file=None)), "1d", HORIZONS)
    assert dataset.label_end_ns.max() == from_rfc3339("2010-01-01")


def test_a_window_keeps_the_last_dates_only() -> None:
    dataset = random_samples(4, 100, 3)
    window = last_bars(dataset, 10)
    assert np.unique(window.as_of_ns).tolist() == [(day * DAY_NS) for day in range(91, 101)]
    assert len(window) == 30
    assert len(last_bars(dataset, None)) == 300


@pytest.mark.parametrize("window_bars", [1, 40, 90, 500])
def test_samples_made_for_a_window_are_the_last_of_all(window_bars: int) -> None:
    still = BARS["BBB"].close.copy()
    still[-60:] = still[-60]  # the last of its samples do not move, so the window reaches further back
    bars = BARS | {"BBB": replace(BARS["BBB"], close=still)}
    wanted = last_bars(dataset_from_bars(bars, "1d", HORIZONS), window_bars)
    made = dataset_from_bars(bars, "1d", HORIZONS, window_bars)
    assert same_features(made.batch, wanted.batch)
    assert np.array_equal(made.log_returns, wanted.log_returns)
    assert np.array_equal(made.label_end_ns, wanted.label_end_ns)
    assert len(np.unique(made.as_of_ns)) == min(
        window_bars, len(np.unique(dataset_from_bars(bars, "1d", HORIZONS).as_of_ns))
    )


def test_memory_goes_with_the_window_and_not_with_the_history() -> None:
    bars = {"AAA": random_walk(1, 2_000)}
    tracemalloc.start()
    try:
        dataset_from_bars(bars, "1d", HORIZONS, 50)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 2_000_000, "all samples together take 14 MB"


def test_a_ticker_that_all_but_stands_still_is_not_trained_on() -> None:
    reference = random_walk(1, 200)
    value = np.round(100 * 1.04 ** (np.arange(200) / 252), 6)  # a money-market fund: 4 % a year, nothing else
    fund = BarColumns(reference.start_ns, value, value, value, value, np.ones(200))
    assert len(dataset_from_bars({"FUND": fund}, "1d", HORIZONS)) == 0


def test_too_little_history_says_how_much_is_needed() -> None:
    with pytest.raises(TooFewSamplesError, match="500 and 100 are needed: give about 800 bars"):
        hold_out_split(random_samples(1, 100, 2))
    with pytest.raises(TooFewSamplesError, match="0 samples"):
        hold_out_split(dataset_from_bars({}, "1d", HORIZONS))
    assert issubclass(TooFewSamplesError, StopAndSayError)


def test_samples_know_neither_order_nor_names_of_tickers() -> None:
    renamed = {"ZZZ": BARS["AAA"], "AAA": BARS["BBB"]}
    known, other = dataset_from_bars(BARS, "1d", HORIZONS), dataset_from_bars(renamed, "1d", HORIZONS)
    swapped = {"AAA": "ZZZ", "BBB": "AAA"}
    for ticker, new_name in swapped.items():
        assert same_features(known.rows(known.tickers == ticker).batch, other.rows(other.tickers == new_name).batch)
