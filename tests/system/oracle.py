"""What an undisturbed system would say, by the pure functions."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest

from feature_stream.offline import FeatureRow, feature_rows
from ingestor.sources.bars import BarColumns
from ingestor.sources.daily_prices import load_daily_bars
from ingestor.sources.replay import WARM_UP_BARS
from schemas.times import from_rfc3339


def played_bars(start: str, end: str, tickers: Iterable[str] = ()) -> dict[str, BarColumns]:
    """Give the daily bars that `replay` plays, warm-up included; `end` is the day after the last."""
    bars = load_daily_bars(tuple(tickers))
    days = np.unique(np.concatenate([columns.start_ns for columns in bars.values()]))
    first = int(days[days < from_rfc3339(start)][-WARM_UP_BARS:][0])
    return {ticker: columns.between(first, from_rfc3339(end)) for ticker, columns in bars.items()}


def assert_bars_equal(said: Mapping[str, dict[str, Any]], bars: Mapping[str, BarColumns]) -> None:
    """Check that the bars of the topic are the source's, bit for bit, none missing and none made up."""
    by_place = {(bar["ticker"], bar["start_ns"]): bar for bar in said.values()}
    assert len(by_place) == len(said) == sum(len(columns) for columns in bars.values())
    for ticker, columns in bars.items():
        for index, start_ns in enumerate(columns.start_ns.tolist()):
            bar = by_place[ticker, start_ns]
            for name in ("open", "high", "low", "close", "volume"):
                assert bar[name] == getattr(columns, name)[index], (ticker, start_ns, name)
            assert not bar["partial"]
            assert bar["bar_index"] == index + 1


def assert_final_features_equal(said: Mapping[str, dict[str, Any]], bars: Mapping[str, BarColumns]) -> None:
    """Check that the final features are those of the offline computation, to 1e-9."""
    finals = {(f["ticker"], f["bar"].start_ns): f for f in said.values() if f["final"]}
    assert len(finals) == sum(len(columns) for columns in bars.values())
    for ticker, row in _rows(bars):
        event = finals[ticker, row.start_ns]
        assert _there(event["indicators"]) == pytest.approx(_there(row.indicators), rel=1e-9, abs=1e-12)
        assert event["model_inputs"] == pytest.approx(row.model_inputs, rel=1e-9, abs=1e-12)
        assert event["returns"] == pytest.approx(row.returns, rel=1e-9, abs=1e-12)
        assert (event["volatility"] is None) == (row.volatility is None)
        assert event["volatility"] is None or event["volatility"] == pytest.approx(row.volatility, rel=1e-9)
        assert np.allclose(np.array(event["sequence"]), np.array(row.sequence), rtol=1e-9, atol=1e-12)


def _there(indicators: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in indicators.items() if value is not None}


def _rows(bars: Mapping[str, BarColumns]) -> Iterable[tuple[str, FeatureRow]]:
    for ticker, columns in bars.items():
        history = (columns.start_ns, columns.open, columns.high, columns.low, columns.close, columns.volume)
        for row in feature_rows("1d", *history):
            yield ticker, row
