"""Features by TA-Lib, pandas and numpy alone, for whole columns of bars."""

from dataclasses import dataclass
from functools import cached_property
from math import isnan
from typing import Any

import numpy as np
import pandas as pd
import talib
from numpy.typing import NDArray

from schemas.features import INDICATOR_NAMES, MODEL_INPUT_NAMES, RETURNS_COUNT, SEQUENCE_STEPS

Column = NDArray[np.float64]

ROOT = np.sqrt


def indicators(bars: pd.DataFrame) -> pd.DataFrame:
    """Give a column for every indicator, NaN where the stage says null."""
    close, high, low = (bars[name].to_numpy(np.float64) for name in ("close", "high", "low"))
    one_bar = pd.Series(np.log((bars.close / bars.close.shift()).to_numpy()), index=bars.index)
    sma_5, sma_20 = talib.SMA(close, 5), talib.SMA(close, 20)
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    usual = bars.volume.rolling(20).mean()
    upper, middle, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    width = upper - lower
    percent_b = np.divide(close - lower, width, out=np.where(width == 0, 0.5, np.nan), where=width > 0)
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
        "volume_ratio_20": (bars.volume / usual).mask(usual == 0, 1.0),
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


@dataclass
class History:
    """The bars of one ticker, oldest first, and what an event says of them; a row is a bar's number from 0."""

    bars: pd.DataFrame

    @cached_property
    def _known(self) -> Column:
        return self._table.to_numpy(np.float64)

    @cached_property
    def _table(self) -> pd.DataFrame:
        return indicators(self.bars)

    @cached_property
    def _inputs(self) -> Column:
        return model_inputs(self.bars, self._table).to_numpy(np.float64)

    @cached_property
    def _channels(self) -> Column:
        """Give the sequence's columns for all bars, before anything is over today's volatility or volume."""
        bars, height = self.bars, self.bars.high - self.bars.low
        in_range = ((bars.close - bars.low) / height.where(height > 0)).fillna(0.5)
        columns = (self._table.return_1, self._table.high_low_range, self._table.gap, in_range, bars.volume)
        return np.stack([column.to_numpy(np.float64) for column in columns], axis=1)

    def _column(self, name: str) -> Column:
        return self._known[:, INDICATOR_NAMES.index(name)]

    def indicators(self, row: int) -> dict[str, float | None]:
        values = self._known[row].tolist()
        return {name: None if isnan(value) else value for name, value in zip(INDICATOR_NAMES, values, strict=True)}

    def sequence(self, row: int) -> Column:
        """Give (steps, channels); needs 21 bars."""
        rows = self._channels[row + 1 - SEQUENCE_STEPS : row + 1].copy()
        rows[:, :3] /= max(self._column("volatility_20")[row], 1e-6)
        usual = rows[:, 4].mean()
        rows[:, 4] = np.log(np.maximum(rows[:, 4] / usual if usual > 0 else 1.0, 0.01))
        return rows

    def view(self, row: int) -> dict[str, Any]:
        """Give what models see after a bar; -1: before the first."""
        if row < 0:
            return {"model_inputs": [], "sequence": [], "returns": [], "volatility": None}
        whole = not np.isnan(self._known[row]).any()
        return {
            "model_inputs": self._inputs[row].tolist() if whole else [],
            "sequence": self.sequence(row).tolist() if whole else [],
            "returns": self._column("return_1")[max(1, row + 1 - RETURNS_COUNT) : row + 1].tolist(),
            "volatility": self.indicators(row)["volatility_20"],
        }
