"""What the last closed bar says, made once at its close."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from msgspec import Raw, json

from feature_stream.indicators.forming import Forming
from feature_stream.indicators.model_forms import model_inputs, sequence
from feature_stream.indicators.rolling import Rolling


class Lists(NamedTuple):
    """The lists of an event; or, where it is only to be sent, their JSON."""

    model_inputs: list[float]
    sequence: list[list[float]]
    returns: list[float]


@dataclass(frozen=True)
class ClosedView:
    """Features after a closed bar; fields as in `schemas.events.Features`. Nobody changes the lists.

    Attributes:
        rolling: The live state that it was made from; once that takes another bar, the view is old.
    """

    indicators: dict[str, float | None] = field(default_factory=dict)
    model_inputs: list[float] = field(default_factory=list)
    sequence: list[list[float]] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    volatility: float | None = None
    rolling: Rolling | None = field(default=None, repr=False, compare=False)

    @cached_property
    def forming(self) -> Forming | None:
        """Give what the closed bars say of the next one; None while they are too few."""
        return None if self.rolling is None else Forming.after(self.rolling)

    @cached_property
    def encoded(self) -> Lists:
        """Give the lists as JSON: four fifths of every provisional event until the next bar closes."""
        return Lists(*[Raw(json.encode(getattr(self, name))) for name in Lists._fields])  # type: ignore[arg-type]


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
        rolling=rolling,
    )
