"""Moving averages and MACD, as TA-Lib seeds and smooths them."""

from msgspec import Struct

from feature_stream.indicators.window import Window

FAST, SLOW, SIGNAL = 12, 26, 9
#: TA-Lib gives none of MACD's three lines before its signal line has nine values.
MACD_BARS = SLOW + SIGNAL - 1

FAST_WEIGHT = 2.0 / (FAST + 1)
SLOW_WEIGHT = 2.0 / (SLOW + 1)
SIGNAL_WEIGHT = 2.0 / (SIGNAL + 1)


def sma(window: Window, span: int) -> float | None:
    """Give the mean of the last `span` closes (TA-Lib `SMA`); null before there are so many."""
    return sum(window.closes[-span:]) / span if window.count >= span else None


class Trend(Struct, array_like=True):
    """Exponential averages. What has no value yet is 0; `window.count` tells.

    Attributes:
        ema_26: Also MACD's slow average: both are seeded with the mean of the first 26 closes.
        macd_fast: MACD's own fast average, seeded with the mean of closes 15 to 26, unlike `ema_12`.
        signal: Until MACD has nine values, their sum.
    """

    ema_12: float = 0.0
    ema_26: float = 0.0
    macd_fast: float = 0.0
    signal: float = 0.0

    def update(self, window: Window) -> None:
        """Take the newest bar of the window."""
        count, close = window.count, window.closes[-1]
        if count > FAST:
            self.ema_12 += (close - self.ema_12) * FAST_WEIGHT
        elif count == FAST:
            self.ema_12 = sum(window.closes) / FAST
        if count > SLOW:
            self.ema_26 += (close - self.ema_26) * SLOW_WEIGHT
            self.macd_fast += (close - self.macd_fast) * FAST_WEIGHT
        elif count == SLOW:
            self.ema_26 = sum(window.closes) / SLOW
            self.macd_fast = sum(window.closes[-FAST:]) / FAST
        if count >= SLOW:
            self._update_signal(count)

    def _update_signal(self, count: int) -> None:
        macd = self.macd_fast - self.ema_26
        if count > MACD_BARS:
            self.signal += (macd - self.signal) * SIGNAL_WEIGHT
            return
        self.signal += macd
        if count == MACD_BARS:
            self.signal /= SIGNAL

    def macd(self, count: int) -> tuple[float, float, float] | tuple[None, None, None]:
        """Give MACD, signal and histogram after `count` bars (TA-Lib `MACD(12, 26, 9)`)."""
        if count < MACD_BARS:
            return None, None, None
        macd = self.macd_fast - self.ema_26
        return macd, self.signal, macd - self.signal
