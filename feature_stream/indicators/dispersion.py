"""How much prices spread: volatility, Bollinger bands, true range.

Sums are taken over the window anew and around its newest value, so that nothing drifts and a flat
series gives exactly 0.
"""

from math import sqrt

from msgspec import Struct

from feature_stream.indicators.window import Window

SPAN = 20
ATR_BARS = 14


def _moments_around_last(values: list[float]) -> tuple[float, float]:
    """Give the mean less the last value, and the sum of squares around the mean."""
    last = values[-1]
    offsets = [value - last for value in values]
    total = sum(offsets)
    squares = sum([offset * offset for offset in offsets]) - total * total / len(values)
    return total / len(values), max(squares, 0.0)


def volatility(window: Window) -> float | None:
    """Give the sample standard deviation (n - 1) of the last 20 log returns; null before 21 bars."""
    if window.count <= SPAN:
        return None
    _, squares = _moments_around_last(window.log_returns[-SPAN:])
    return sqrt(squares / (SPAN - 1))


def bollinger(window: Window) -> tuple[float, float] | tuple[None, None]:
    """Give %b and bandwidth of TA-Lib's `BBANDS(20, 2, 2)`; nulls before 20 bars.

    Returns:
        `(close - lower) / (upper - lower)`, 0.5 where the bands meet; `(upper - lower) / middle`.
    """
    if window.count < SPAN:
        return None, None
    mean_less_close, squares = _moments_around_last(window.closes[-SPAN:])
    width = 4.0 * sqrt(squares / SPAN)
    percent_b = 0.5 - mean_less_close / width if width > 0.0 else 0.5
    return percent_b, width / (window.closes[-1] + mean_less_close)


def true_range(high: float, low: float, previous_close: float) -> float:
    """Give how far prices reached, the last close included."""
    return max(high - low, abs(high - previous_close), abs(low - previous_close))


class TrueRange(Struct, array_like=True):
    """Wilder's average true range over 14 bars, in price; 0 until there are 15 bars."""

    average: float = 0.0

    def update(self, window: Window) -> None:
        """Take the newest bar of the window."""
        if window.count > ATR_BARS + 1:
            newest = true_range(window.highs[-1], window.lows[-1], window.closes[-2])
            self.average = (self.average * (ATR_BARS - 1) + newest) / ATR_BARS
        elif window.count == ATR_BARS + 1:
            first = map(true_range, window.highs[1:], window.lows[1:], window.closes)
            self.average = sum(first) / ATR_BARS

    def atr(self, count: int) -> float | None:
        """Give TA-Lib's `ATR(14)` after `count` bars; null before 15 bars."""
        return self.average if count > ATR_BARS else None
