"""What the stage says beside what it must say: words exact, numbers to 1e-9."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TypeVar

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from schemas.events import Bar, Features
from schemas.features import INDICATOR_NAMES

Said = TypeVar("Said", Bar, Features)

#: Of each indicator, and of the volatility: is it in the price's unit?
_IN_PRICES = [
    name.startswith(("sma_5", "sma_20", "ema", "macd", "atr", "momentum")) for name in (*INDICATOR_NAMES, "volatility")
]


def by_ticker(events: Iterable[Said]) -> dict[str, list[Said]]:
    """Give each ticker's events in their order."""
    told: dict[str, list[Said]] = {}
    for event in events:
        told.setdefault(event.ticker, []).append(event)
    return told


def words_of(event: Features) -> Features:
    """Give an event without the numbers that TA-Lib and pandas compute their own way."""
    names = dict.fromkeys(event.indicators)
    return replace(event, indicators=names, model_inputs=[], sequence=[], returns=[], volatility=None)


def numbers_of(event: Features) -> NDArray[np.float64]:
    """Give those numbers, NaN for null."""
    columns = [*event.indicators.values(), event.volatility, *event.model_inputs, *event.returns]
    return np.array([*columns, *chain(*event.sequence)], np.float64)


def ingredients_of(event: Features, length: int) -> NDArray[np.float64]:
    """Give, for each number, the size of what it is computed from: where it cancels, rounding is held against this."""
    sizes = np.ones(length)
    sizes[: len(INDICATOR_NAMES) + 1] = np.where(_IN_PRICES, event.current_price, 0.01)
    return sizes


def assert_same_features(said: Sequence[Features], expected: Sequence[Features]) -> None:
    """Hold a ticker's feature events against the oracle's."""
    assert [words_of(event) for event in said] == [words_of(event) for event in expected]
    for event, known in zip(said, expected, strict=True):
        ours, theirs = numbers_of(event), numbers_of(known)
        assert ours.shape == theirs.shape, event.id
        assert (np.isnan(ours) == np.isnan(theirs)).all(), f"{event.id}: a number begins at another bar"
        allowed = 1e-9 * np.fmax(np.abs(theirs), ingredients_of(known, len(theirs)))
        wrong = np.flatnonzero(np.abs(ours - theirs) > allowed)
        assert not wrong.size, f"{event.id}: {ours[wrong]} instead of {theirs[wrong]} at {wrong}"
