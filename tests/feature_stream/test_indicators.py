"""Indicators against TA-Lib, and pandas where it has none, after every bar."""

from collections.abc import Callable
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pytest

from feature_stream.offline import FeatureRow, feature_rows
from ingestor.sources.daily_prices import DAILY_TICKERS, load_daily_bars
from schemas.features import INDICATOR_NAMES, MODEL_INPUT_NAMES, RETURNS_COUNT, SEQUENCE_CHANNELS, SEQUENCE_STEPS
from tests.feature_stream import oracle

DAY_NS = 86_400_000_000_000
COLUMNS = ["open", "high", "low", "close", "volume"]


@cache
def real_bars(ticker: str) -> pd.DataFrame:
    columns = load_daily_bars([ticker])[ticker]
    return pd.DataFrame({name: getattr(columns, name) for name in COLUMNS})


@cache
def random_walk(seed: int, length: int = 10_000) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.02, length)))
    open_ = np.r_[100.0, close[:-1]] * np.exp(random.normal(0, 0.005, length))
    high = np.maximum(open_, close) * np.exp(np.abs(random.normal(0, 0.004, length)))
    low = np.minimum(open_, close) * np.exp(-np.abs(random.normal(0, 0.004, length)))
    return pd.DataFrame(dict(zip(COLUMNS, (open_, high, low, close, random.lognormal(12, 1, length)), strict=True)))


def rows_of(bars: pd.DataFrame) -> list[FeatureRow]:
    starts = range(0, len(bars) * DAY_NS, DAY_NS)
    return list(feature_rows("1d", starts, *(bars[name] for name in COLUMNS)))


@cache
def cached_rows(series: "Series", key: Any) -> list[FeatureRow]:
    return rows_of(series(key))


def said_of(rows: list[FeatureRow]) -> pd.DataFrame:
    return pd.DataFrame([row.indicators for row in rows], dtype=np.float64)


Series = Callable[[Any], pd.DataFrame]
SERIES = [pytest.param(real_bars, ticker, id=ticker) for ticker in DAILY_TICKERS] + [
    pytest.param(random_walk, seed, id=f"walk-{seed}") for seed in (1, 2)
]


@pytest.mark.parametrize(("series", "key"), SERIES)
def test_every_indicator_is_the_oracles_after_every_bar(series: Series, key: Any) -> None:
    bars = series(key)
    known, said = oracle.indicators(bars), said_of(cached_rows(series, key))
    assert tuple(said.columns) == INDICATOR_NAMES
    for name in INDICATOR_NAMES:
        assert (said[name].isna() == known[name].isna()).all(), f"{name} begins at another bar"
        # What may be 0 by cancellation (MACD, %b) is held to 1e-9 of its ingredients.
        ingredients = bars.close if name.startswith("macd") else 1.0 if name == "bollinger_percent_b" else known[name]
        error: pd.Series[float] = (said[name] - known[name]).abs() / np.maximum(known[name].abs(), np.abs(ingredients))
        assert error.max() <= 1e-9, name


@pytest.mark.parametrize(("series", "key"), SERIES)
def test_model_inputs_are_the_oracles_and_begin_with_the_last_indicator(series: Series, key: Any) -> None:
    bars, rows = series(key), cached_rows(series, key)
    expected = oracle.model_inputs(bars, oracle.indicators(bars))
    first = int(expected.notna().all(axis=1).to_numpy().argmax())
    assert [bool(row.model_inputs) for row in rows] == [index >= first for index in range(len(bars))]
    said = np.array([row.model_inputs for row in rows[first:]])
    assert said.shape[1] == len(MODEL_INPUT_NAMES)
    np.testing.assert_allclose(said, expected[first:], rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize(("series", "key"), SERIES)
def test_the_sequence_holds_the_last_20_bars_over_todays_volatility(series: Series, key: Any) -> None:
    bars = series(key).iloc[:400]
    history, rows = oracle.History(bars), cached_rows(series, key)[:400]
    for index, row in enumerate(rows):
        assert bool(row.sequence) == bool(row.model_inputs)
        if row.sequence:
            assert np.shape(row.sequence) == (SEQUENCE_STEPS, len(SEQUENCE_CHANNELS))
            np.testing.assert_allclose(row.sequence, history.sequence(index), rtol=1e-9, atol=1e-9)


def test_returns_are_those_of_the_window_oldest_first() -> None:
    bars = real_bars("IBM").iloc[:200]
    returns = np.log((bars.close / bars.close.shift()).to_numpy())
    for index, row in enumerate(rows_of(bars)):
        expected = returns[max(1, index - RETURNS_COUNT + 1) : index + 1]
        assert len(row.returns) == min(index, RETURNS_COUNT)
        np.testing.assert_allclose(row.returns, expected, rtol=1e-12)


def test_ten_thousand_bars_later_nothing_has_drifted() -> None:
    bars = random_walk(3)
    long, last = rows_of(bars)[-1], 64
    window = bars.iloc[-last:]
    closes = window.close.to_numpy()
    assert long.indicators["sma_20"] == pytest.approx(np.mean(closes[-20:]), rel=1e-14)
    middle, spread = np.mean(closes[-20:]), np.std(closes[-20:])
    assert long.indicators["bollinger_bandwidth"] == pytest.approx(4 * spread / middle, rel=1e-13)
    changes = np.diff(np.log(closes))
    assert long.volatility == pytest.approx(np.std(changes[-20:], ddof=1), rel=1e-12)


def test_a_jump_long_past_leaves_no_trace_in_windows() -> None:
    """A running sum of squares would keep the rounding of 1e6 squared."""
    quiet = 1.0 + 1e-7 * np.sin(np.arange(300.0))
    close = np.r_[np.full(30, 1e6), quiet]
    bars = pd.DataFrame(dict.fromkeys(COLUMNS, close))
    row = rows_of(bars)[-1]
    exact = np.std(quiet[-20:].astype(np.longdouble))
    assert row.indicators["bollinger_bandwidth"] == pytest.approx(float(4 * exact / quiet[-20:].mean()), rel=1e-9)


@pytest.mark.parametrize("price", [0.1, 1e-12, 333.33, 1e15])
def test_a_flat_series_gives_what_the_page_says(price: float) -> None:
    bars = pd.DataFrame(dict.fromkeys(COLUMNS, np.full(500, price))).assign(volume=10.0)
    row = rows_of(bars)[-1]
    said = row.indicators
    zero = ["return_1", "return_21", "lagged_return_5", "volatility_20", "bollinger_bandwidth", "atr_14", "momentum_10"]
    assert [said[name] for name in [*zero, "rsi_14", "stochastic_k_14", "gap", "high_low_range"]] == [0.0] * 11
    assert said["bollinger_percent_b"] == 0.5
    assert said["volume_ratio_20"] == 1.0
    inputs = dict(zip(MODEL_INPUT_NAMES, row.model_inputs, strict=True))
    assert inputs["log_volatility_20"] == np.log(1e-6)
    assert np.isfinite(row.model_inputs).all()
    assert row.sequence == [[0.0, 0.0, 0.0, 0.5, 0.0]] * SEQUENCE_STEPS


def test_rsi_and_stochastic_of_a_flat_series_are_talibs() -> None:
    bars = pd.DataFrame(dict.fromkeys(COLUMNS, np.full(100, 5.0)))
    known, said = oracle.indicators(bars), rows_of(bars)[-1].indicators
    assert said["rsi_14"] == known.rsi_14.iloc[-1]
    assert said["stochastic_k_14"] == known.stochastic_k_14.iloc[-1]


def test_no_volume_at_all_is_as_usual_and_a_bar_without_has_a_floor() -> None:
    bars = random_walk(4, 200).assign(volume=0.0)
    row = rows_of(bars)[-1]
    assert row.indicators["volume_ratio_20"] == 1.0
    assert row.model_inputs[MODEL_INPUT_NAMES.index("log_volume_ratio_20")] == 0.0
    some = bars.assign(volume=[7.0] * 199 + [0.0])
    last = rows_of(some)[-1]
    assert last.indicators["volume_ratio_20"] == 0.0
    assert last.model_inputs[MODEL_INPUT_NAMES.index("log_volume_ratio_20")] == pytest.approx(np.log(0.01))
    assert last.sequence[-1][4] == pytest.approx(np.log(0.01))
    assert np.isfinite([*last.model_inputs, *chain(*last.sequence)]).all()


def test_the_wildest_prices_allowed_still_give_finite_numbers() -> None:
    random = np.random.default_rng(5)
    close = 10.0 ** random.uniform(-12, 15, 500)
    bars = pd.DataFrame({"open": close, "high": close, "low": close, "close": close})
    rows = rows_of(bars.assign(volume=10.0 ** random.uniform(-300, 18, 500)))
    for row in rows:
        said = [value for value in row.indicators.values() if value is not None]
        assert np.isfinite([*said, *row.model_inputs, *chain(*row.sequence), *row.returns]).all()


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        list(feature_rows("1d", [0, DAY_NS], [1.0], [1.0], [1.0], [1.0], [1.0]))
