"""How strong a move is: RSI, stochastic, momentum."""

from itertools import pairwise

from msgspec import Struct

from feature_stream.indicators.window import Window

RSI_BARS = 14
STOCHASTIC_BARS = 14
#: Below this TA-Lib takes a sum of price changes for none.
TALIB_ZERO = 1e-14


class Strength(Struct, array_like=True):
    """Wilder's average gain and loss over 14 bars, in price; 0 until there are 15 bars."""

    gain: float = 0.0
    loss: float = 0.0

    def update(self, window: Window) -> None:
        """Take the newest bar of the window."""
        count, closes = window.count, window.closes
        if count > RSI_BARS + 1:
            change = closes[-1] - closes[-2]
            self.gain = (self.gain * (RSI_BARS - 1) + (change if change > 0.0 else 0.0)) / RSI_BARS
            self.loss = (self.loss * (RSI_BARS - 1) - (change if change < 0.0 else 0.0)) / RSI_BARS
        elif count == RSI_BARS + 1:
            changes = [new - old for old, new in pairwise(closes)]
            self.gain = sum(change for change in changes if change > 0.0) / RSI_BARS
            self.loss = -sum(change for change in changes if change < 0.0) / RSI_BARS

    def rsi(self, count: int) -> float | None:
        """Give TA-Lib's `RSI(14)` after `count` bars: 0 where no price ever moved; null before 15 bars."""
        if count <= RSI_BARS:
            return None
        total = self.gain + self.loss
        return 100.0 * self.gain / total if total >= TALIB_ZERO else 0.0


def stochastic_k(window: Window, span: int = STOCHASTIC_BARS) -> float | None:
    """Give the fast %K of TA-Lib's `STOCHF`: 0 where there is no range; null before there are `span` bars."""
    if window.count < span:
        return None
    lowest = min(window.lows[-span:])
    height = max(window.highs[-span:]) - lowest
    return 100.0 * (window.closes[-1] - lowest) / height if height > 0.0 else 0.0


def momentum(window: Window, span: int = 10) -> float | None:
    """Give the close less that of `span` bars ago (TA-Lib `MOM`); null before there are `span + 1` bars."""
    closes = window.closes
    return closes[-1] - closes[-1 - span] if len(closes) > span else None
