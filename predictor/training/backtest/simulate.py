"""What following a forecast would have brought: one ticker, one horizon, no clock and no I/O.

A decision at the close of a bar is an order that fills at the next bar's open. For a horizon of h bars there are h
sleeves, each of 1/h of the capital and an account of its own. At the first open all of them take the first decision;
then they have their turns one after the other, one a bar, so that each holds for h bars what it decided.
(Jegadeesh and Titman 1993, Returns to buying winners and selling losers: overlapping portfolios.)

At its turn a sleeve brings its position to direction times equity: all in shares, all in cash, or short of as much.
What is traded costs a share of its value. Between turns nothing is traded: a long position moves with the price, a
short one loses what the price gains. A short sleeve that has lost everything at a close is closed, and stays empty.
Dividends are in the prices where these are adjusted for them; borrowed shares cost nothing, cash earns nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Run:
    """How the capital of 1 has gone, after the closes of the bars 1 to n - 1.

    Attributes:
        sleeves: (h, n - 1) equity of each; together they are 1 before the first fill.
        traded: (n - 1,) value bought and sold at the bar's open, as a share of all equity before it.
    """

    sleeves: FloatArray
    traded: FloatArray

    @property
    def equity(self) -> FloatArray:
        """Give the equity of all sleeves, (n - 1,)."""
        total: FloatArray = self.sleeves.sum(axis=0)
        return total

    @property
    def returns(self) -> FloatArray:
        """Give the return of each bar, from the close before it (at first: from the fill) to its close; 0 once lost."""
        equity = self.equity
        before = np.concatenate([[1.0], equity[:-1]])
        returns: FloatArray = np.divide(equity, before, out=np.ones_like(equity), where=before > 0) - 1.0
        return returns


@dataclass
class _Accounts:
    """The sleeves: shares, negative where short, and cash."""

    shares: FloatArray
    cash: FloatArray

    def equity(self, price: float) -> FloatArray:
        return self.cash + self.shares * price

    def trade(self, turn: slice, direction: float, price: float, cost_share: float) -> float:
        """Bring the sleeves whose turn it is to a direction; give the value traded."""
        held = self.shares[turn] * price
        equity = np.maximum(self.cash[turn] + held, 0.0)
        traded = np.abs(direction * equity - held)
        left = np.maximum(equity - cost_share * traded, 0.0)
        self.shares[turn] = direction * left / price
        self.cash[turn] = left - direction * left
        return float(traded.sum())

    def close_lost(self, price: float) -> None:
        lost = self.equity(price) <= 0.0
        self.shares[lost] = self.cash[lost] = 0.0


def simulate(
    opens: FloatArray, closes: FloatArray, directions: FloatArray, horizon: int, cost_share: float = 0.0
) -> Run:
    """Follow decisions.

    Args:
        opens: (n,) of bars in order, above 0.
        closes: (n,) likewise.
        directions: (n - 1,) decided at the closes of the bars 0 to n - 2: 1 long, -1 short, 0 nothing.
        horizon: In bars.
        cost_share: Of the value of what is traded, each way: 5 basis points are 0.0005.

    Raises:
        ValueError: The columns do not fit.
    """
    if not len(opens) == len(closes) == len(directions) + 1:
        raise ValueError(f"{len(opens)} opens, {len(closes)} closes and {len(directions)} directions do not fit")
    accounts = _Accounts(np.zeros(horizon), np.full(horizon, 1.0 / horizon))
    sleeves, traded = np.empty((horizon, len(directions))), np.empty(len(directions))
    for bar, direction in enumerate(directions.tolist()):
        turn = slice(None) if bar == 0 else slice(bar % horizon, bar % horizon + 1)
        price, close = float(opens[bar + 1]), float(closes[bar + 1])
        before = float(np.maximum(accounts.equity(price), 0.0).sum())
        value = accounts.trade(turn, direction, price, cost_share)
        traded[bar] = value / before if before > 0 else 0.0
        accounts.close_lost(close)
        sleeves[:, bar] = accounts.equity(close)
    return Run(sleeves, traded)
