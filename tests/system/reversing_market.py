"""A market that can be forecast until it turns: returns follow the day before, and then oppose it."""

import csv
import math
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TICKERS = ("AAA", "BBB", "CCC")
#: Days before the first live one, and live days before the turn.
HISTORY_DAYS, CALM_DAYS = 1_000, 160
_FIRST_DAY = date(2001, 1, 1)
_FOLLOWS, _OPPOSES = 0.5, -0.6
_DAILY_VOLATILITY, _SHARE_OF_ITS_OWN = 0.01, 0.6


def day_of(number: int) -> str:
    """Give the date of a day of the market, from 0."""
    return (_FIRST_DAY + timedelta(days=number)).isoformat()


class Market:
    """Daily bars of all tickers, which share a part of each day's shock."""

    def __init__(self, path: Path, days: int, seed: int) -> None:
        """Begin a file without a day."""
        self._path = path
        self._days = self._days_from(days, np.random.default_rng(seed))
        with path.open("w", newline="") as file:
            csv.writer(file).writerow(("ticker", "timestamp", "open", "high", "low", "close", "volume"))

    def _days_from(self, days: int, random: np.random.Generator) -> Iterator[list[tuple[object, ...]]]:
        shared = random.standard_normal(days)
        closes = {ticker: _closes(shared, random) for ticker in TICKERS}
        return (
            [_row(ticker, number, *closes[ticker][number : number + 2]) for ticker in TICKERS] for number in range(days)
        )

    def write(self, days: int) -> None:
        """Add the next days to the file."""
        with self._path.open("a", newline="") as file:
            for rows in islice(self._days, days):
                csv.writer(file).writerows(rows)


def _row(ticker: str, number: int, before: float, close: float) -> tuple[object, ...]:
    high, low = 1.002 * max(before, close), 0.998 * min(before, close)
    return (ticker, day_of(number), *(f"{price:.6f}" for price in (before, high, low, close)), 1_000)


def _closes(shared: NDArray[np.float64], random: np.random.Generator) -> list[float]:
    """Give days + 1 closes, the first before the first day."""
    own = random.standard_normal(len(shared))
    shocks = _DAILY_VOLATILITY * (math.sqrt(1 - _SHARE_OF_ITS_OWN) * shared + math.sqrt(_SHARE_OF_ITS_OWN) * own)
    closes, last = [100.0], 0.0
    for number, shock in enumerate(shocks):
        last = (_FOLLOWS if number < HISTORY_DAYS + CALM_DAYS else _OPPOSES) * last + float(shock)
        closes.append(closes[-1] * math.exp(last))
    return closes
