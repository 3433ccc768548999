"""The indicators of a bar that still forms, from what its closed bars leave: no sum is taken anew for each tick.

The definitions are those of `feature_stream.indicators.rolling`, equal to about 1e-12; a bar that has closed is always
computed there. This code runs thousands of times a second: what does not hang on the open bar is worked out once a bar,
and the rest calls nothing but `log` and `sqrt`.
"""

from math import log, sqrt

from msgspec import Struct

from feature_stream.indicators.dispersion import ATR_BARS
from feature_stream.indicators.dispersion import SPAN as DISPERSION_BARS
from feature_stream.indicators.rolling import Rolling
from feature_stream.indicators.strength import RSI_BARS, STOCHASTIC_BARS, TALIB_ZERO
from feature_stream.indicators.trend import FAST_WEIGHT, MACD_BARS, SIGNAL_WEIGHT, SLOW_WEIGHT
from feature_stream.indicators.volume import SPAN as VOLUME_BARS
from feature_stream.indicators.window import Priced

_BEFORE = DISPERSION_BARS - 1
#: Of a value's distance from the mean of those before it: what it moves the mean by is the rest.
_DISTANCE_SHARE = _BEFORE / DISPERSION_BARS


class Forming(Struct, frozen=True, gc=False):
    """What the closed bars of one ticker say of the next one.

    Attributes:
        previous: The last close.
        return_4: From the close of 4 bars before the last to the last; likewise `return_9` and `return_20`.
        lag_1: The last bar's log return; likewise further back.
        closes_4: Sum of the last 4 closes; likewise `closes_19` and `volumes_19`.
        close_offset: Mean of the last 19 closes less the last one.
        close_squares: Sum of their squares around their mean; `return_mean` and `return_squares` likewise.
        lowest: Of the last 13 bars; likewise `highest`.
        gains: The average gain, 13 times; likewise `losses` and `true_ranges`.
    """

    previous: float
    return_4: float
    return_9: float
    return_20: float
    lag_1: float
    lag_2: float
    lag_3: float
    lag_4: float
    lag_5: float
    close_10_ago: float
    closes_4: float
    closes_19: float
    volumes_19: float
    close_offset: float
    close_squares: float
    return_mean: float
    return_squares: float
    lowest: float
    highest: float
    ema_12: float
    ema_26: float
    macd_fast: float
    signal: float
    gains: float
    losses: float
    true_ranges: float

    @classmethod
    def after(cls, rolling: Rolling) -> "Forming | None":
        """Sum up closed bars; None while they are too few for every indicator to be there."""
        window, trend, strength = rolling.window, rolling.trend, rolling.strength
        if window.count < MACD_BARS:
            return None
        closes, returns = window.closes, window.log_returns
        close_offset, close_squares = _mean_and_squares([close - closes[-1] for close in closes[-_BEFORE:]])
        return_mean, return_squares = _mean_and_squares(returns[-_BEFORE:])
        return cls(
            previous=closes[-1],
            return_4=log(closes[-1] / closes[-5]),
            return_9=log(closes[-1] / closes[-10]),
            return_20=log(closes[-1] / closes[-21]),
            lag_1=returns[-1],
            lag_2=returns[-2],
            lag_3=returns[-3],
            lag_4=returns[-4],
            lag_5=returns[-5],
            close_10_ago=closes[-10],
            closes_4=sum(closes[-4:]),
            closes_19=sum(closes[-19:]),
            volumes_19=sum(window.volumes[-(VOLUME_BARS - 1) :]),
            close_offset=close_offset,
            close_squares=close_squares,
            return_mean=return_mean,
            return_squares=return_squares,
            lowest=min(window.lows[-(STOCHASTIC_BARS - 1) :]),
            highest=max(window.highs[-(STOCHASTIC_BARS - 1) :]),
            ema_12=trend.ema_12,
            ema_26=trend.ema_26,
            macd_fast=trend.macd_fast,
            signal=trend.signal,
            gains=strength.gain * (RSI_BARS - 1),
            losses=strength.loss * (RSI_BARS - 1),
            true_ranges=rolling.true_range.average * (ATR_BARS - 1),
        )

    def indicators(self, bar: Priced) -> dict[str, float | None]:
        """Give the indicators as they were if the bar closed now, by name, in the order of `INDICATOR_NAMES`."""
        high, low, close, volume = bar.high, bar.low, bar.close, bar.volume
        previous = self.previous
        change = close - previous
        return_1 = log(close / previous)
        sma_5, sma_20 = (self.closes_4 + close) / 5, (self.closes_19 + close) / 20
        ema_26 = self.ema_26 + (close - self.ema_26) * SLOW_WEIGHT
        macd = self.macd_fast + (close - self.macd_fast) * FAST_WEIGHT - ema_26
        signal = self.signal + (macd - self.signal) * SIGNAL_WEIGHT
        distance = change - self.close_offset
        mean_less_close = -distance * _DISTANCE_SHARE
        width = 4.0 * sqrt((self.close_squares - distance * mean_less_close) / DISPERSION_BARS)
        gains = self.gains + change if change > 0.0 else self.gains
        moves = gains + (self.losses - change if change < 0.0 else self.losses)
        surprise = return_1 - self.return_mean
        reach = (high if high > previous else previous) - (low if low < previous else previous)
        lowest = low if low < self.lowest else self.lowest
        height = (high if high > self.highest else self.highest) - lowest
        volumes = self.volumes_19 + volume
        return {
            "return_1": return_1,
            "return_5": return_1 + self.return_4,
            "return_10": return_1 + self.return_9,
            "return_21": return_1 + self.return_20,
            "lagged_return_1": self.lag_1,
            "lagged_return_2": self.lag_2,
            "lagged_return_3": self.lag_3,
            "lagged_return_4": self.lag_4,
            "lagged_return_5": self.lag_5,
            "sma_5": sma_5,
            "sma_20": sma_20,
            "sma_ratio": sma_5 / sma_20,
            "ema_12": self.ema_12 + (close - self.ema_12) * FAST_WEIGHT,
            "ema_26": ema_26,
            "macd": macd,
            "macd_signal": signal,
            "macd_histogram": macd - signal,
            "rsi_14": 100.0 * gains / moves if moves >= TALIB_ZERO * RSI_BARS else 0.0,
            "bollinger_percent_b": 0.5 - mean_less_close / width if width > 0.0 else 0.5,
            "bollinger_bandwidth": width / (close + mean_less_close),
            "volatility_20": sqrt(
                (self.return_squares + surprise * surprise * _DISTANCE_SHARE) / (DISPERSION_BARS - 1)
            ),
            "atr_14": (self.true_ranges + reach) / ATR_BARS,
            "stochastic_k_14": 100.0 * (close - lowest) / height if height > 0.0 else 0.0,
            "momentum_10": close - self.close_10_ago,
            "high_low_range": (high - low) / close,
            "gap": bar.open / previous - 1.0,
            "volume_ratio_20": volume * VOLUME_BARS / volumes if volumes > 0.0 else 1.0,
        }


def _mean_and_squares(values: list[float]) -> tuple[float, float]:
    """Give the mean, and the sum of squares around it."""
    mean = sum(values) / len(values)
    return mean, sum([(value - mean) ** 2 for value in values])
