"""What models see: indicators without scale, and the sequence of bars. `docs/features.md` has the definitions."""

from math import log, sqrt

from feature_stream.indicators.volume import RATIO_FLOOR, SPAN, log_ratio
from feature_stream.indicators.window import Window
from schemas.features import LAGS, RETURN_SPANS, SEQUENCE_STEPS, VOLATILITY_FLOOR

_ROOTS = {span: sqrt(span) for span in (*RETURN_SPANS, 12, 20, 26)}
_RETURNS = [(f"return_{span}", _ROOTS[span]) for span in RETURN_SPANS]
_LAGGED = [f"lagged_return_{lag}" for lag in LAGS]


def scale_of(volatility: float) -> float:
    """Give what model inputs are divided by."""
    return max(volatility, VOLATILITY_FLOOR)


def model_inputs(indicators: dict[str, float | None], close: float) -> list[float]:
    """Give the scale-free forms in the order of `MODEL_INPUT_NAMES`; empty while any indicator is null."""
    if None in indicators.values():
        return []
    value: dict[str, float] = indicators  # type: ignore[assignment] # no null is left
    scale = scale_of(value["volatility_20"])
    price_scale = close * scale
    return [
        *[value[name] / (scale * root) for name, root in _RETURNS],
        *[value[name] / scale for name in _LAGGED],
        (value["sma_5"] - close) / (price_scale * _ROOTS[5]),
        (value["sma_20"] - close) / (price_scale * _ROOTS[20]),
        (value["ema_12"] - close) / (price_scale * _ROOTS[12]),
        (value["ema_26"] - close) / (price_scale * _ROOTS[26]),
        value["macd"] / price_scale,
        value["macd_histogram"] / price_scale,
        value["rsi_14"] / 100.0,
        value["bollinger_percent_b"],
        value["bollinger_bandwidth"] / (scale * _ROOTS[20]),
        log(scale),
        value["atr_14"] / price_scale,
        value["stochastic_k_14"] / 100.0,
        value["momentum_10"] / (price_scale * _ROOTS[10]),
        value["high_low_range"] / scale,
        value["gap"] / scale,
        log(max(value["volume_ratio_20"], RATIO_FLOOR)),
    ]


def sequence(window: Window, volatility: float) -> list[list[float]]:
    """Give the last `SEQUENCE_STEPS` bars as rows of `SEQUENCE_CHANNELS`, oldest first; needs 21 bars.

    Args:
        window: The closed bars.
        volatility: Today's, over which all rows are.
    """
    scale, steps = scale_of(volatility), SEQUENCE_STEPS
    mean = sum(window.volumes[-SPAN:]) / SPAN
    rows = zip(
        window.log_returns[-steps:],
        window.opens[-steps:],
        window.highs[-steps:],
        window.lows[-steps:],
        window.closes[-steps:],
        window.closes[-steps - 1 : -1],
        window.volumes[-steps:],
        strict=True,
    )
    return [
        [
            change / scale,
            (high - low) / close / scale,
            (open_ / previous - 1.0) / scale,
            (close - low) / (high - low) if high > low else 0.5,
            log_ratio(volume, mean),
        ]
        for change, open_, high, low, close, previous, volume in rows
    ]
