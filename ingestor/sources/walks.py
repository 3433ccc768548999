"""Seeded geometric random walks of any number of prices."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

KNOWN_TICKERS: tuple[str, ...] = ("AAPL", "GOOGL", "MSFT", "AMZN", "TSLA", "META", "NVDA", "NFLX", "ORCL", "CRM")

_YEARLY_VOLATILITY = 0.3
_TRADING_SECONDS_PER_YEAR = 252 * 6.5 * 3_600
_LOWEST_PRICE = 0.01

#: Tickers, prices and sizes.
TickColumns = tuple[list[str], list[float], list[float]]


class SimulatedOptions(NamedTuple):
    """What is made up; the interval is only told to who asks what the kept data was made with."""

    tickers: tuple[str, ...]
    rate_per_second: float
    seed: int
    interval: str


def simulated_tickers(count: int) -> tuple[str, ...]:
    """Give so many symbols: ten well-known ones, then made-up ones."""
    return (*KNOWN_TICKERS[:count], *(f"SIM{number:05d}" for number in range(len(KNOWN_TICKERS) + 1, count + 1)))


class Walks:
    """The prices of all tickers; the same seed, place and prices give the same ticks."""

    def __init__(self, options: SimulatedOptions, place: int, last_prices: dict[str, float]) -> None:
        tickers = options.tickers
        first = np.random.default_rng(options.seed).uniform(20.0, 500.0, len(tickers))
        prices = [last_prices.get(ticker, price) for ticker, price in zip(tickers, first.tolist(), strict=True)]
        self._random = np.random.default_rng([options.seed, place])
        self._tickers = np.array(tickers, dtype=object)
        self._log_prices = np.log(np.array(prices))
        seconds_per_step = len(tickers) / options.rate_per_second
        self._step = _YEARLY_VOLATILITY * float(np.sqrt(seconds_per_step / _TRADING_SECONDS_PER_YEAR))

    def ticks(self, count: int) -> TickColumns:
        """Give tickers, prices and sizes of so many ticks."""
        if not count:
            return [], [], []
        chosen = self._random.integers(0, len(self._tickers), count)
        logs = self._advance(chosen, self._random.normal(0.0, self._step, count))
        prices = np.maximum(np.round(np.exp(logs), 4), _LOWEST_PRICE)
        sizes = self._random.integers(1, 500, count).astype(np.float64)
        return self._tickers[chosen].tolist(), prices.tolist(), sizes.tolist()

    def _advance(self, chosen: NDArray[np.int64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Walk each ticker its steps, in order, and give the log price after every step."""
        order = np.argsort(chosen, kind="stable")
        sorted_tickers = chosen[order]
        sums = np.cumsum(steps[order])
        starts = np.flatnonzero(np.r_[True, sorted_tickers[1:] != sorted_tickers[:-1]])
        before = np.repeat(np.r_[0.0, sums[starts[1:] - 1]], np.diff(np.r_[starts, len(chosen)]))
        logs = np.empty(len(chosen))
        logs[order] = self._log_prices[sorted_tickers] + sums - before
        ends = np.r_[starts[1:] - 1, len(chosen) - 1]
        self._log_prices[sorted_tickers[ends]] = logs[order[ends]]
        return logs
