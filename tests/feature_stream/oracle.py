"""Features by TA-Lib and pandas alone, for whole columns of bars."""

import numpy as np
import pandas as pd
import talib
from numpy.typing import NDArray

from schemas.features import INDICATOR_NAMES, MODEL_INPUT_NAMES, SEQUENCE_STEPS

Column = NDArray[np.float64]

ROOT = np.sqrt


def indicators(bars: pd.DataFrame) -> pd.DataFrame:
    """Give a column for every indicator, NaN where the stage says null."""
    close, high, low = (bars[name].to_numpy(np.float64) for name in ("close", "high", "low"))
    one_bar = pd.Series(np.log((bars.close / bars.close.shift()).to_numpy()), index=bars.index)
    sma_5, sma_20 = talib.SMA(close, 5), talib.SMA(close, 20)
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    upper, middle, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    with np.errstate(invalid="ignore"):
        percent_b = (close - lower) / (upper - lower)
    columns = {
        **{f"return_{span}": np.log(bars.close / bars.close.shift(span)) for span in (1, 5, 10, 21)},
        **{f"lagged_return_{lag}": one_bar.shift(lag) for lag in (1, 2, 3, 4, 5)},
        "sma_5": sma_5,
        "sma_20": sma_20,
        "sma_ratio": sma_5 / sma_20,
        "ema_12": talib.EMA(close, 12),
        "ema_26": talib.EMA(close, 26),
        "macd": macd,
        "macd_signal": signal,
        "macd_histogram": histogram,
        "rsi_14": talib.RSI(close, 14),
        "bollinger_percent_b": percent_b,
        "bollinger_bandwidth": (upper - lower) / middle,
        "volatility_20": one_bar.rolling(20).std(ddof=1),
        "atr_14": talib.ATR(high, low, close, 14),
        "stochastic_k_14": talib.STOCHF(high, low, close, fastk_period=14, fastd_period=1)[0],
        "momentum_10": talib.MOM(close, 10),
        "high_low_range": (bars.high - bars.low) / bars.close,
        "gap": bars.open / bars.close.shift() - 1,
        "volume_ratio_20": bars.volume / bars.volume.rolling(20).mean(),
    }
    return pd.DataFrame(columns, index=bars.index)[list(INDICATOR_NAMES)]


def model_inputs(bars: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Give a column for every model input."""
    scale = known.volatility_20.clip(lower=1e-6)
    close = bars.close
    columns = {
        **{f"return_{span}_scaled": known[f"return_{span}"] / scale / ROOT(span) for span in (1, 5, 10, 21)},
        **{f"lagged_return_{lag}_scaled": known[f"lagged_return_{lag}"] / scale for lag in (1, 2, 3, 4, 5)},
        **{f"sma_{span}_relative": (known[f"sma_{span}"] / close - 1) / scale / ROOT(span) for span in (5, 20)},
        **{f"ema_{span}_relative": (known[f"ema_{span}"] / close - 1) / scale / ROOT(span) for span in (12, 26)},
        "macd_relative": known.macd / close / scale,
        "macd_histogram_relative": known.macd_histogram / close / scale,
        "rsi_14_unit": known.rsi_14 / 100,
        "bollinger_percent_b": known.bollinger_percent_b,
        "bollinger_bandwidth_scaled": known.bollinger_bandwidth / scale / ROOT(20),
        "log_volatility_20": np.log(scale),
        "atr_14_relative": known.atr_14 / close / scale,
        "stochastic_k_14_unit": known.stochastic_k_14 / 100,
        "momentum_10_relative": known.momentum_10 / close / scale / ROOT(10),
        "high_low_range_scaled": known.high_low_range / scale,
        "gap_scaled": known.gap / scale,
        "log_volume_ratio_20": np.log(known.volume_ratio_20.clip(lower=0.01)),
    }
    return pd.DataFrame(columns, index=bars.index)[list(MODEL_INPUT_NAMES)]


def sequence(bars: pd.DataFrame, known: pd.DataFrame, row: int) -> Column:
    """Give the sequence after bar number `row` (from 0), (steps, channels)."""
    last = slice(row - SEQUENCE_STEPS + 1, row + 1)
    scale = max(known.volatility_20[row], 1e-6)
    height = bars.high - bars.low
    in_range = ((bars.close - bars.low) / height.where(height > 0)).fillna(0.5)
    ratio = bars.volume / bars.volume[last].mean()
    channels = (
        known.return_1 / scale,
        known.high_low_range / scale,
        known.gap / scale,
        in_range,
        np.log(ratio.clip(lower=0.01)),
    )
    return np.stack([channel.to_numpy(np.float64)[last] for channel in channels], axis=1)
