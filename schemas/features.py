"""Names and sizes of what a feature event carries. `docs/features.md` has the definitions.

Any change of a definition, an order or a size needs a new `FEATURE_VERSION`: models refuse another one.
"""

FEATURE_VERSION = "1"

#: Closed bars that the state of a ticker keeps.
WINDOW_BARS = 64
#: Close-to-close log returns in `Features.returns`, oldest first, at most.
RETURNS_COUNT = WINDOW_BARS - 1

#: Volatility, per bar, below which scales do not go: a flat series divides by this. Its ticker is not for models, for
#: errors in such a unit would stretch the intervals of all.
VOLATILITY_FLOOR = 1e-6

LAGS = (1, 2, 3, 4, 5)
RETURN_SPANS = (1, 5, 10, 21)

INDICATOR_NAMES: tuple[str, ...] = (
    *(f"return_{span}" for span in RETURN_SPANS),
    *(f"lagged_return_{lag}" for lag in LAGS),
    "sma_5",
    "sma_20",
    "sma_ratio",
    "ema_12",
    "ema_26",
    "macd",
    "macd_signal",
    "macd_histogram",
    "rsi_14",
    "bollinger_percent_b",
    "bollinger_bandwidth",
    "volatility_20",
    "atr_14",
    "stochastic_k_14",
    "momentum_10",
    "high_low_range",
    "gap",
    "volume_ratio_20",
)

#: Scale-free forms, in the order of `Features.model_inputs`. "_scaled" is over volatility_20 (times the
#: square root of the span, where there is one); "_relative" is over the close and then scaled likewise.
MODEL_INPUT_NAMES: tuple[str, ...] = (
    *(f"return_{span}_scaled" for span in RETURN_SPANS),
    *(f"lagged_return_{lag}_scaled" for lag in LAGS),
    "sma_5_relative",
    "sma_20_relative",
    "ema_12_relative",
    "ema_26_relative",
    "macd_relative",
    "macd_histogram_relative",
    "rsi_14_unit",
    "bollinger_percent_b",
    "bollinger_bandwidth_scaled",
    "log_volatility_20",
    "atr_14_relative",
    "stochastic_k_14_unit",
    "momentum_10_relative",
    "high_low_range_scaled",
    "gap_scaled",
    "log_volume_ratio_20",
)

#: The LSTM's input: one row a bar, oldest first; columns in this order, over today's volatility_20.
SEQUENCE_STEPS = 20
SEQUENCE_CHANNELS: tuple[str, ...] = (
    "return_scaled",
    "high_low_range_scaled",
    "gap_scaled",
    "close_in_range",
    "log_volume_ratio",
)
