"""The real daily prices."""

import subprocess
import sys

import numpy as np
import pytest

from ingestor.sources.daily_prices import DAILY_TICKERS, adjust, load_daily_bars
from schemas.errors import StopAndSayError
from schemas.times import from_rfc3339, to_rfc3339


def test_every_adjusted_bar_is_a_bar() -> None:
    for ticker, bars in load_daily_bars().items():
        assert (np.diff(bars.start_ns) > 0).all(), ticker
        assert (bars.low > 0).all()
        assert (bars.low <= np.minimum(bars.open, bars.close)).all()
        assert (bars.high >= np.maximum(bars.open, bars.close)).all()
        assert (bars.volume > 0).all()


def test_adjusting_makes_the_close_the_adjusted_close_and_keeps_the_ratios_and_the_volume() -> None:
    from bokeh_sampledata import stocks

    for ticker, bars in load_daily_bars().items():
        reported = getattr(stocks, ticker)
        np.testing.assert_allclose(bars.close, reported["adj_close"], rtol=1e-14)
        np.testing.assert_allclose(
            bars.open / bars.close, np.array(reported["open"]) / np.array(reported["close"]), rtol=1e-13
        )
        assert bars.volume.tolist() == reported["volume"]
        assert [to_rfc3339(int(ns))[:10] for ns in bars.start_ns[:3]] == reported["date"][:3]


def test_a_split_is_no_crash() -> None:
    apple = load_daily_bars(["AAPL"], from_rfc3339("2005-02-01"), from_rfc3339("2005-04-01"))["AAPL"]
    assert np.abs(np.diff(np.log(apple.close))).max() < 0.1


def test_a_split_in_made_up_prices_is_taken_out_of_all_four() -> None:
    day = {"open": [200.0, 100.0], "high": [220.0, 110.0], "low": [180.0, 90.0], "close": [200.0, 100.0]}
    bars = adjust({**day, "date": ["2020-01-01", "2020-01-02"], "volume": [1, 2], "adj_close": [100.0, 100.0]})
    assert bars.open.tolist() == [100.0, 100.0]
    assert bars.high.tolist() == [110.0, 110.0]
    assert bars.low.tolist() == [90.0, 90.0]


def test_start_is_inclusive_and_end_exclusive() -> None:
    first, last = from_rfc3339("2010-01-04"), from_rfc3339("2010-01-06")
    bars = load_daily_bars(["IBM", "FB"], first, last)
    assert list(bars) == ["FB", "IBM"]
    assert bars["IBM"].start_ns.tolist() == [first, from_rfc3339("2010-01-05")]
    assert len(bars["FB"]) == 0


def test_an_unknown_ticker_is_named_beside_those_there_are() -> None:
    with pytest.raises(StopAndSayError, match="do not hold XYZ; they hold AAPL, FB, GOOG, IBM, MSFT"):
        load_daily_bars(["XYZ", "IBM"])


def test_neither_pandas_nor_a_home_is_needed() -> None:
    code = (
        "import sys; from ingestor.sources.daily_prices import load_daily_bars; "
        "assert len(load_daily_bars()) == 5; assert 'pandas' not in sys.modules"
    )
    finished = subprocess.run([sys.executable, "-c", code], env={}, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr


def test_the_list_of_tickers_is_the_packages() -> None:
    from bokeh_sampledata import stocks

    assert tuple(name for name in dir(stocks) if isinstance(getattr(stocks, name), dict) and name.isupper()) == (
        DAILY_TICKERS
    )
