"""What was said of bars that are still open, so that history adds only what is missing."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

from ingestor.sources.bar_play import PRICES_PER_BAR, PlayedBar, four_prices, four_sizes
from schemas.times import bar_start_ns


class Addition(NamedTuple):
    """A tick that history adds."""

    time_ns: int
    ticker: str
    price: float
    size: float


class _SaidBar(Struct):
    """A bar as far as its ticks were sent; open and close follow the ticks' times, ties their order."""

    first_ns: int
    last_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class SaidBars:
    """The ticks that went out, folded to bars of a length, until they are forgotten.

    Args:
        length_ns: Of the bars that fill gaps.
    """

    def __init__(self, length_ns: int) -> None:
        self._length_ns = length_ns
        self._bars: dict[int, dict[str, _SaidBar]] = {}

    def add(self, ticker: str, time_ns: int, price: float, size: float) -> None:
        """Take a tick that goes out."""
        bars = self._bars.setdefault(bar_start_ns(time_ns, self._length_ns), {})
        bar = bars.get(ticker)
        if bar is None:
            bars[ticker] = _SaidBar(time_ns, time_ns, price, price, price, price, size)
            return
        if time_ns >= bar.last_ns:
            bar.last_ns, bar.close = time_ns, price
        elif time_ns < bar.first_ns:
            bar.first_ns, bar.open = time_ns, price
        bar.high, bar.low = max(bar.high, price), min(bar.low, price)
        bar.volume += size

    def newest_ns(self) -> dict[str, int]:
        """Give the time of each ticker's newest tick, of those that are not forgotten."""
        newest_ns: dict[str, int] = {}
        for bars in self._bars.values():
            for ticker, bar in bars.items():
                newest_ns[ticker] = max(bar.last_ns, newest_ns.get(ticker, 0))
        return newest_ns

    def rescale(self, factors: Mapping[str, float]) -> None:
        """Bring what was said of some tickers to the scale of what follows."""
        for bars in self._bars.values():
            for ticker in bars.keys() & factors.keys():
                bar, factor = bars[ticker], factors[ticker]
                bar.open, bar.high, bar.low, bar.close = (
                    price * factor for price in (bar.open, bar.high, bar.low, bar.close)
                )
                bar.volume /= factor

    def tickers_since(self, time_ns: int) -> set[str]:
        """Give the tickers of which something was said in a bar that starts at or after a time."""
        return {ticker for start_ns, bars in self._bars.items() if start_ns >= time_ns for ticker in bars}

    def forget_before(self, time_ns: int) -> None:
        """Forget bars that end at or before a time."""
        for start_ns in [start for start in self._bars if start + self._length_ns <= time_ns]:
            del self._bars[start_ns]

    def additions(self, start_ns: int, length_ns: int, bars: Iterable[PlayedBar]) -> list[Addition]:
        """Give the ticks, in order of time, with which what was said of these bars folds to them.

        Args:
            start_ns: Of all of them.
            length_ns: Their length; one that is not ours counts as not said at all.
        """
        said = self._bars.get(start_ns, {}) if length_ns == self._length_ns else {}
        added: list[Addition] = []
        for bar in bars:
            known = said.get(bar.ticker)
            added += _rest(known, bar, start_ns, length_ns) if known else whole_bar(bar, start_ns, length_ns)
        return sorted(added, key=lambda addition: addition.time_ns)


def whole_bar(bar: PlayedBar, start_ns: int, length_ns: int) -> list[Addition]:
    """Give four ticks spread over the bar, the last right before its end."""
    times_ns = [start_ns + step * (length_ns - 1) // (PRICES_PER_BAR - 1) for step in range(PRICES_PER_BAR)]
    rows = zip(times_ns, four_prices(bar), four_sizes(bar.volume), strict=True)
    return [Addition(time_ns, bar.ticker, price, size) for time_ns, price, size in rows]


def _rest(said: _SaidBar, bar: PlayedBar, start_ns: int, length_ns: int) -> list[Addition]:
    """Give what is missing: the open before all, then extremes, then the close with the volume."""
    end_ns = start_ns + length_ns - 1
    between_ns = said.last_ns + (end_ns - said.last_ns) // 2
    missing = []
    if bar.open != said.open and said.first_ns > start_ns:
        missing.append(Addition(start_ns, bar.ticker, bar.open, 0.0))
    if bar.high > said.high:
        missing.append(Addition(between_ns, bar.ticker, bar.high, 0.0))
    if bar.low < said.low:
        missing.append(Addition(between_ns, bar.ticker, bar.low, 0.0))
    volume = max(0.0, bar.volume - said.volume)
    if missing or volume or bar.close != said.close:
        missing.append(Addition(end_ns, bar.ticker, bar.close, volume))
    return missing
