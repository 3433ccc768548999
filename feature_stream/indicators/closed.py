"""What the last closed bar says, made once at its close."""

from dataclasses import dataclass, field

from feature_stream.indicators.model_forms import model_inputs, sequence
from feature_stream.indicators.rolling import Rolling


@dataclass(frozen=True, slots=True)
class ClosedView:
    """Features after a closed bar; fields as in `schemas.events.Features`. Nobody changes the lists."""

    indicators: dict[str, float | None] = field(default_factory=dict)
    model_inputs: list[float] = field(default_factory=list)
    sequence: list[list[float]] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    volatility: float | None = None


def closed_view(rolling: Rolling) -> ClosedView:
    """Compute the features of the newest bar; a function of the state alone."""
    window = rolling.window
    if not window.closes:
        return ClosedView()
    indicators = rolling.indicators()
    inputs = model_inputs(indicators, window.closes[-1])
    volatility = indicators["volatility_20"]
    return ClosedView(
        indicators=indicators,
        model_inputs=inputs,
        sequence=sequence(window, volatility) if inputs and volatility is not None else [],
        returns=window.log_returns[:],
        volatility=volatility,
    )
