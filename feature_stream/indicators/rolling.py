"""All that a ticker's closed bars leave behind: the window and the recursive averages."""

from copy import copy

from msgspec import Struct, field

from feature_stream.indicators.dispersion import TrueRange, bollinger, volatility
from feature_stream.indicators.returns import gap, high_low_range, lagged_return, log_return
from feature_stream.indicators.strength import Strength, momentum, stochastic_k
from feature_stream.indicators.trend import FAST, SLOW, Trend, sma
from feature_stream.indicators.volume import volume_ratio
from feature_stream.indicators.window import Priced, Window
from schemas.features import INDICATOR_NAMES, LAGS, RETURN_SPANS


class Rolling(Struct, array_like=True):
    """The state of all indicators of one ticker. Sums are taken over the window, so only averages are carried."""

    window: Window = field(default_factory=Window)
    trend: Trend = field(default_factory=Trend)
    strength: Strength = field(default_factory=Strength)
    true_range: TrueRange = field(default_factory=TrueRange)

    def push(self, bar: Priced) -> None:
        """Take a bar."""
        window = self.window
        window.push(bar)
        self.trend.update(window)
        self.strength.update(window)
        self.true_range.update(window)

    def branch(self) -> "Rolling":
        """Give a state that can be pushed a few bars without changing this one; it knows no more than they need."""
        return Rolling(self.window.recent(SLOW), copy(self.trend), copy(self.strength), copy(self.true_range))

    def indicators(self) -> dict[str, float | None]:
        """Give the indicators of the newest bar by name, in the order of `INDICATOR_NAMES`."""
        return dict(zip(INDICATOR_NAMES, self._values(), strict=True))

    def _values(self) -> list[float | None]:
        window, count = self.window, self.window.count
        sma_5, sma_20 = sma(window, 5), sma(window, 20)
        return [
            *[log_return(window, span) for span in RETURN_SPANS],
            *[lagged_return(window, lag) for lag in LAGS],
            sma_5,
            sma_20,
            None if sma_5 is None or sma_20 is None else sma_5 / sma_20,
            self.trend.ema_12 if count >= FAST else None,
            self.trend.ema_26 if count >= SLOW else None,
            *self.trend.macd(count),
            self.strength.rsi(count),
            *bollinger(window),
            volatility(window),
            self.true_range.atr(count),
            stochastic_k(window),
            momentum(window),
            high_low_range(window),
            gap(window),
            volume_ratio(window),
        ]
