"""Seeded geometric random walks of any number of prices."""

from typing import NamedTuple

import numpy as np

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
    """The prices of all tickers.

    The same seed, place and prices give the same ticks, however they are cut into batches: tickers, steps and sizes
    come from a generator each, and each price from the one before it in a sum of its own.
    """

    def __init__(self, options: SimulatedOptions, place: int, last_prices: dict[str, float]) -> None:
        tickers = options.tickers
        first = np.random.default_rng(options.seed).uniform(20.0, 500.0, len(tickers))
        prices = [last_prices.get(ticker, price) for ticker, price in zip(tickers, first.tolist(), strict=True)]
        self._chooser, self._stepper, self._sizer = (
            np.random.default_rng([options.seed, place, number]) for number in range(3)
        )
        self._tickers = tickers
        self._log_prices: list[float] = np.log(np.array(prices)).tolist()
        seconds_per_step = len(tickers) / options.rate_per_second
        self._step = _YEARLY_VOLATILITY * float(np.sqrt(seconds_per_step / _TRADING_SECONDS_PER_YEAR))

    def ticks(self, count: int) -> TickColumns:
        """Give tickers, prices and sizes of so many ticks."""
        if not count:
            return [], [], []
        chosen: list[int] = self._chooser.integers(0, len(self._tickers), count).tolist()
        logs = self._walk(chosen, self._stepper.normal(0.0, self._step, count).tolist())
        prices = np.maximum(np.round(np.exp(logs), 4), _LOWEST_PRICE)
        sizes = self._sizer.integers(1, 500, count).astype(np.float64)
        return [self._tickers[index] for index in chosen], prices.tolist(), sizes.tolist()

    def _walk(self, chosen: list[int], steps: list[float]) -> list[float]:
        """Walk each ticker its steps, in order, and give the log price after every step."""
        current = self._log_prices
        logs = []
        for index, step in zip(chosen, steps, strict=True):
            current[index] += step
            logs.append(current[index])
        return logs
