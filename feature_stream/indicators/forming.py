"""The indicators of a bar that still forms, from what its closed bars leave: no sum is taken anew for each tick.

The definitions are those of `feature_stream.indicators.rolling`, equal to about 1e-12; a bar that has closed is always
computed there.
"""

from math import log, sqrt

from msgspec import Struct

from feature_stream.indicators.dispersion import ATR_BARS, Moments, bands, true_range
from feature_stream.indicators.dispersion import SPAN as DISPERSION_BARS
from feature_stream.indicators.rolling import Rolling
from feature_stream.indicators.strength import RSI_BARS, STOCHASTIC_BARS, percent_k, rsi
from feature_stream.indicators.trend import FAST_WEIGHT, MACD_BARS, SIGNAL_WEIGHT, SLOW_WEIGHT
from feature_stream.indicators.volume import SPAN as VOLUME_BARS
from feature_stream.indicators.volume import ratio
from feature_stream.indicators.window import Priced
from schemas.features import INDICATOR_NAMES, LAGS, RETURN_SPANS

_LONGEST_LAG = max(LAGS)


class Forming(Struct, frozen=True):
    """What the closed bars of one ticker say of the next one.

    Attributes:
        closes: Of 1, 5, 10 and 21 bars ago, as `RETURN_SPANS` has them.
        lagged_returns: As `LAGS` has them.
        closes_4: Sum of the last 4 closes; likewise `closes_19` and `volumes_19`.
        close_moments: Of the last 19 closes; likewise `return_moments`.
        lowest: Of the last 13 bars; likewise `highest`.
    """

    closes: list[float]
    lagged_returns: list[float]
    closes_4: float
    closes_19: float
    volumes_19: float
    close_moments: Moments
    return_moments: Moments
    lowest: float
    highest: float
    ema_12: float
    ema_26: float
    macd_fast: float
    signal: float
    gain: float
    loss: float
    true_range: float

    @classmethod
    def after(cls, rolling: Rolling) -> "Forming | None":
        """Sum up closed bars; None while they are too few for every indicator to be there."""
        window = rolling.window
        if window.count < MACD_BARS:
            return None
        closes, trend = window.closes, rolling.trend
        before = DISPERSION_BARS - 1
        return cls(
            closes=[closes[-span] for span in RETURN_SPANS],
            lagged_returns=window.log_returns[: -_LONGEST_LAG - 1 : -1],
            closes_4=sum(closes[-4:]),
            closes_19=sum(closes[-19:]),
            volumes_19=sum(window.volumes[-(VOLUME_BARS - 1) :]),
            close_moments=Moments.of(closes[-before:]),
            return_moments=Moments.of(window.log_returns[-before:]),
            lowest=min(window.lows[-(STOCHASTIC_BARS - 1) :]),
            highest=max(window.highs[-(STOCHASTIC_BARS - 1) :]),
            ema_12=trend.ema_12,
            ema_26=trend.ema_26,
            macd_fast=trend.macd_fast,
            signal=trend.signal,
            gain=rolling.strength.gain,
            loss=rolling.strength.loss,
            true_range=rolling.true_range.average,
        )

    def indicators(self, bar: Priced) -> dict[str, float | None]:
        """Give the indicators as they were if the bar closed now, by name, in the order of `INDICATOR_NAMES`."""
        return dict(zip(INDICATOR_NAMES, self._values(bar), strict=True))

    def _values(self, bar: Priced) -> list[float]:
        close, previous = bar.close, self.closes[0]
        returns = [log(close / earlier) for earlier in self.closes]
        sma_5, sma_20 = (self.closes_4 + close) / 5, (self.closes_19 + close) / 20
        return [
            *returns,
            *self.lagged_returns,
            sma_5,
            sma_20,
            sma_5 / sma_20,
            *self._trend(close),
            self._rsi(close - previous),
            *bands(close, *self.close_moments.with_next(close)),
            sqrt(self.return_moments.with_next(returns[0])[1] / (DISPERSION_BARS - 1)),
            (self.true_range * (ATR_BARS - 1) + true_range(bar.high, bar.low, previous)) / ATR_BARS,
            percent_k(close, min(self.lowest, bar.low), max(self.highest, bar.high)),
            close - self.closes[2],
            (bar.high - bar.low) / close,
            bar.open / previous - 1.0,
            ratio(bar.volume, (self.volumes_19 + bar.volume) / VOLUME_BARS),
        ]

    def _trend(self, close: float) -> tuple[float, float, float, float, float]:
        ema_12 = self.ema_12 + (close - self.ema_12) * FAST_WEIGHT
        ema_26 = self.ema_26 + (close - self.ema_26) * SLOW_WEIGHT
        macd = self.macd_fast + (close - self.macd_fast) * FAST_WEIGHT - ema_26
        signal = self.signal + (macd - self.signal) * SIGNAL_WEIGHT
        return ema_12, ema_26, macd, signal, macd - signal

    def _rsi(self, change: float) -> float:
        gain = (self.gain * (RSI_BARS - 1) + max(change, 0.0)) / RSI_BARS
        loss = (self.loss * (RSI_BARS - 1) - min(change, 0.0)) / RSI_BARS
        return rsi(gain, loss)
