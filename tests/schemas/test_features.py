from schemas.features import (
    INDICATOR_NAMES,
    LAGS,
    MODEL_INPUT_NAMES,
    RETURN_SPANS,
    RETURNS_COUNT,
    SEQUENCE_CHANNELS,
    SEQUENCE_STEPS,
    WINDOW_BARS,
)


def test_names_are_there_once() -> None:
    for names in (INDICATOR_NAMES, MODEL_INPUT_NAMES, SEQUENCE_CHANNELS):
        assert len(set(names)) == len(names)


def test_every_indicator_of_the_design_is_named() -> None:
    wanted = {f"return_{span}" for span in (1, 5, 10, 21)} | {f"lagged_return_{lag}" for lag in range(1, 6)}
    wanted |= {"sma_5", "sma_20", "sma_ratio", "ema_12", "ema_26", "macd", "macd_signal", "macd_histogram"}
    wanted |= {"rsi_14", "bollinger_percent_b", "bollinger_bandwidth", "volatility_20", "atr_14", "stochastic_k_14"}
    wanted |= {"momentum_10", "high_low_range", "gap", "volume_ratio_20"}
    assert set(INDICATOR_NAMES) == wanted


def test_the_window_holds_what_is_made_from_it() -> None:
    assert max(RETURN_SPANS) < WINDOW_BARS
    assert max(LAGS) + 1 < WINDOW_BARS
    assert WINDOW_BARS >= SEQUENCE_STEPS + 20, "the sequence's volume ratio looks back 20 bars"
    assert RETURNS_COUNT == WINDOW_BARS - 1


def test_every_model_input_speaks_of_an_indicator() -> None:
    indicators = sorted(INDICATOR_NAMES, key=len, reverse=True)
    for name in MODEL_INPUT_NAMES:
        assert any(indicator in name for indicator in indicators), name
