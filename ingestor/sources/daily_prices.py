"""Real daily prices from the installed package `bokeh_sampledata`, adjusted for splits and dividends.

Needs neither a home folder nor the network: the package carries its data, and reads it without pandas.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from ingestor.sources.bars import BarColumns
from schemas.errors import StopAndSayError
from schemas.times import from_rfc3339

#: What the package carries: 2000-03-01 to 2013-03-01; GOOG from 2004, FB from its first day, 2012-05-18.
DAILY_TICKERS: tuple[str, ...] = ("AAPL", "FB", "GOOG", "IBM", "MSFT")

_MISSING = "the package bokeh_sampledata with the daily prices is not installed: pip install 'tickcast[data]'"


def load_daily_bars(
    tickers: Collection[str] | None = None, start_ns: int | None = None, end_ns: int | None = None
) -> dict[str, BarColumns]:
    """Load the daily bars that start in `[start_ns, end_ns)`, by ticker in alphabetical order.

    All four prices are multiplied by adjusted close / close, so that a split is not a crash; the volume is
    as it was reported. Shares the arrays between calls: they are read-only.

    Args:
        tickers: Which ones; None or empty: all.

    Raises:
        StopAndSayError: The package is missing, or has no such ticker.
    """
    wanted = sorted(set(tickers or DAILY_TICKERS))
    unknown = [ticker for ticker in wanted if ticker not in DAILY_TICKERS]
    if unknown:
        raise StopAndSayError(
            f"TICKCAST_TICKERS: the daily prices do not hold {', '.join(unknown)}; they hold {', '.join(DAILY_TICKERS)}"
        )
    return {ticker: _adjusted(ticker).between(start_ns, end_ns) for ticker in wanted}


@cache
def _adjusted(ticker: str) -> BarColumns:
    return adjust(_reported(ticker))


def _reported(ticker: str) -> Mapping[str, Sequence[Any]]:
    try:
        stocks = import_module("bokeh_sampledata.stocks")
    except ImportError as error:
        raise StopAndSayError(_MISSING) from error
    reported: Mapping[str, Sequence[Any]] = getattr(stocks, ticker)
    return reported


def adjust(reported: Mapping[str, Sequence[Any]]) -> BarColumns:
    """Turn reported columns (date, open, high, low, close, volume, adj_close) into adjusted bars.

    One factor a bar and rounding that keeps the order: low <= open, close <= high still holds.
    """
    prices = {name: np.array(reported[name], dtype=np.float64) for name in ("open", "high", "low", "close")}
    factor = np.array(reported["adj_close"], dtype=np.float64) / prices["close"]
    columns = BarColumns(
        np.array([from_rfc3339(day) for day in reported["date"]], dtype=np.int64),
        prices["open"] * factor,
        prices["high"] * factor,
        prices["low"] * factor,
        prices["close"] * factor,
        np.array(reported["volume"], dtype=np.float64),
    )
    for array in vars(columns).values():
        array.flags.writeable = False
    return columns
