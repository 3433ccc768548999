"""A split: what a ticker's state remembers is brought to the scale of the prices that follow."""

from feature_stream.indicators.rolling import Rolling
from feature_stream.state import TickerState


def rescale(state: TickerState, factor: float) -> None:
    """Multiply all prices, and divide all volumes.

    All indicators that are carried are linear in prices, so they go on as if prices had always been on this scale.

    Args:
        state: Changed in place.
        factor: 0.5 after a split of two for one.
    """
    _rescale_closed(state.rolling, factor)
    for bar in state.open_bars:
        bar.open, bar.high, bar.low, bar.close = (price * factor for price in (bar.open, bar.high, bar.low, bar.close))
        bar.volume /= factor
    state.view = None
    state.rescaled *= factor


def _rescale_closed(rolling: Rolling, factor: float) -> None:
    window, trend, strength = rolling.window, rolling.trend, rolling.strength
    for prices in (window.opens, window.highs, window.lows, window.closes):
        prices[:] = [price * factor for price in prices]
    window.volumes[:] = [volume / factor for volume in window.volumes]
    trend.ema_12, trend.ema_26 = trend.ema_12 * factor, trend.ema_26 * factor
    trend.macd_fast, trend.signal = trend.macd_fast * factor, trend.signal * factor
    strength.gain, strength.loss = strength.gain * factor, strength.loss * factor
    rolling.true_range.average *= factor
