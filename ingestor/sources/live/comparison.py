"""Prices of two providers, held side by side. Pure: times come in."""

import math

from msgspec import Struct

from schemas.times import NS_PER_SECOND

#: A price is compared for so long after it came.
FRESH_NS = 15 * NS_PER_SECOND
#: A difference must last so long before it counts.
LASTING_NS = 30 * NS_PER_SECOND


class Verdict(Struct, frozen=True, kw_only=True):
    """How two providers agree.

    Attributes:
        greatest: The greatest relative difference of a ticker's prices; 0 where none can be compared.
        disagree: Tickers whose prices have differed by more than the bound for long, in order.
        began: Those of them that did not before, with the difference.
        ended: Those that did, and do not now: they agree, or cannot be compared.
    """

    greatest: float
    disagree: list[str]
    began: dict[str, float]
    ended: list[str]


class Prices:
    """The newest price of each ticker, from one provider."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[float, int]] = {}

    def heard(self, ticker: str, price: float, now_ns: int) -> None:
        """Note a price; what is none is passed over."""
        if math.isfinite(price) and price > 0:
            self._newest[ticker] = (price, now_ns)

    def forget(self) -> None:
        """Know none any more."""
        self._newest.clear()

    def fresh(self, now_ns: int) -> dict[str, float]:
        """Give those that came lately."""
        return {ticker: price for ticker, (price, at_ns) in self._newest.items() if now_ns - at_ns <= FRESH_NS}


class Comparison:
    """What is played beside what another provider says.

    Args:
        bound: Relative difference up to which prices agree.
    """

    def __init__(self, bound: float) -> None:
        self.played = Prices()
        self.beside = Prices()
        self._bound = bound
        self._since_ns: dict[str, int] = {}
        self._disagree: set[str] = set()

    def judge(self, now_ns: int) -> Verdict:
        """Hold the newest prices beside each other."""
        played, beside = self.played.fresh(now_ns), self.beside.fresh(now_ns)
        differences = {ticker: _difference(played[ticker], beside[ticker]) for ticker in played.keys() & beside.keys()}
        beyond = {ticker for ticker, difference in differences.items() if difference > self._bound}
        self._since_ns = {ticker: self._since_ns.get(ticker, now_ns) for ticker in beyond}
        disagree = {ticker for ticker, since_ns in self._since_ns.items() if now_ns - since_ns >= LASTING_NS}
        before, self._disagree = self._disagree, disagree
        return Verdict(
            greatest=max(differences.values(), default=0.0),
            disagree=sorted(disagree),
            began={ticker: differences[ticker] for ticker in sorted(disagree - before)},
            ended=sorted(before - disagree),
        )


def _difference(one: float, other: float) -> float:
    return abs(one - other) / max(one, other)
