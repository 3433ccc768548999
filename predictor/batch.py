"""Feature events to the arrays that forecasters take."""

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Protocol

import numpy as np

from predictor.degraded import NOT_MOVING, OTHER_FEATURE_VERSION, WARMING_UP
from predictor.models.base import Batch, FloatArray
from schemas.events import Features
from schemas.features import (
    FEATURE_VERSION,
    MODEL_INPUT_NAMES,
    RETURNS_COUNT,
    SEQUENCE_CHANNELS,
    SEQUENCE_STEPS,
    VOLATILITY_FLOOR,
)
from schemas.symbols import is_ticker
from schemas.times import Interval

#: Prices outside are taken for garbage; inside, no prediction overflows.
SMALLEST_PRICE, LARGEST_PRICE = 1e-12, 1e15
#: Ids are far shorter. A prediction's id holds its event's and is a header too: it must fit into a record.
LONGEST_ID = 200
_LARGEST_NS = 2**62  # far beyond any market, and a target after it is still an integer that JSON readers take
_WIDTHS = {len(SEQUENCE_CHANNELS)}


class ModelRow(Protocol):
    """What the models read of a closed bar: a feature event, or a row of training."""

    @property
    def model_inputs(self) -> list[float]:
        """As in `Features`."""
        ...

    @property
    def sequence(self) -> list[list[float]]:
        """As in `Features`."""
        ...

    @property
    def returns(self) -> list[float]:
        """As in `Features`."""
        ...

    @property
    def volatility(self) -> float | None:
        """As in `Features`."""
        ...


def problem_of(features: Features, interval: Interval) -> str | None:
    """Say what makes a decoded event unusable, naming the field; None where nothing does."""
    holds = (
        is_ticker(features.ticker),
        len(features.id) <= LONGEST_ID,
        features.interval == interval,
        _are_times(features),
        _is_price(features.current_price),
        not features.final if features.last_close is None else _is_price(features.last_close),
        features.volatility is None or features.volatility >= 0,
        _right_sizes(features),
    )
    if all(holds):
        return None  # before the texts, which take longer than the checks
    problems = (
        f"ticker {features.ticker[:32]!r} is not a symbol",
        f"id is longer than {LONGEST_ID} characters",
        f"interval is {features.interval}, not {interval}",
        "as_of_ns or the bar's times are out of range",
        f"current_price {features.current_price} is not a price",
        f"last_close {features.last_close} is not a price",
        f"volatility {features.volatility} is negative",
        "model_inputs or sequence have the wrong size",
    )
    return f"Features: {problems[holds.index(False)]}"


def _is_price(price: float) -> bool:
    return SMALLEST_PRICE <= price <= LARGEST_PRICE


def _are_times(features: Features) -> bool:
    bar = features.bar
    return abs(features.as_of_ns) < _LARGEST_NS and abs(bar.start_ns) < _LARGEST_NS and abs(bar.end_ns) < _LARGEST_NS


def _right_sizes(features: Features) -> bool:
    if features.feature_version != FEATURE_VERSION or not features.model_inputs:
        return True  # never read
    steps = features.sequence
    return (
        len(features.model_inputs) == len(MODEL_INPUT_NAMES)
        and len(steps) == SEQUENCE_STEPS
        and set(map(len, steps)) == _WIDTHS
    )


def why_not_for_models(features: Features) -> str | None:
    """Say why the models cannot read an event, as a reason of `predictor.degraded`; None where they can."""
    return OTHER_FEATURE_VERSION if features.feature_version != FEATURE_VERSION else why_unreadable(features)


def reasons_unreadable(events: Sequence[Features]) -> dict[int, str]:
    """Give the reasons of those events that the models cannot read, by their place."""
    return {place: why for place, event in enumerate(events) if (why := why_not_for_models(event)) is not None}


def why_unreadable(row: ModelRow) -> str | None:
    """Say why a row is neither predicted by the models nor trained on; None where it is."""
    if not row.model_inputs or row.volatility is None:
        return WARMING_UP
    return None if row.volatility > VOLATILITY_FLOOR else NOT_MOVING


def model_batch(rows: Sequence[ModelRow]) -> Batch:
    """Give the arrays of rows that the models can read."""
    steps = chain.from_iterable(row.sequence for row in rows)
    shape = (len(rows), SEQUENCE_STEPS, len(SEQUENCE_CHANNELS))
    return Batch(
        model_inputs=_table([row.model_inputs for row in rows], np.float32).reshape(len(rows), len(MODEL_INPUT_NAMES)),
        sequence=_table(steps, np.float32).reshape(shape),
        returns=_returns(rows),
        volatility=_volatility(rows),
    )


def _table(rows: Iterable[Sequence[float]], kind: type[np.floating]) -> FloatArray:
    """Give the numbers of all rows, one after the other: faster than to let numpy find out how lists are nested."""
    return np.fromiter(chain.from_iterable(rows), kind)


def statistical_batch(rows: Sequence[ModelRow]) -> Batch:
    """Give the arrays of any rows; the models' inputs are NaN."""
    count = len(rows)
    return Batch(
        model_inputs=np.full((count, len(MODEL_INPUT_NAMES)), np.nan, np.float32),
        sequence=np.full((count, SEQUENCE_STEPS, len(SEQUENCE_CHANNELS)), np.nan, np.float32),
        returns=_returns(rows),
        volatility=_volatility(rows),
    )


def travelled(rows: Sequence[Features]) -> FloatArray:
    """Give the log return from the last close to the current price, (n,); 0 for finals and before any close."""
    return np.array(
        [0.0 if row.final or row.last_close is None else math.log(row.current_price / row.last_close) for row in rows],
        np.float64,
    )


def _returns(rows: Sequence[ModelRow]) -> FloatArray:
    if all(len(row.returns) == RETURNS_COUNT for row in rows):
        return _table([row.returns for row in rows], np.float64).reshape(len(rows), RETURNS_COUNT)
    table = np.full((len(rows), RETURNS_COUNT), np.nan)
    for index, row in enumerate(rows):
        newest = row.returns[-RETURNS_COUNT:]
        if newest:
            table[index, -len(newest) :] = newest
    return table


def _volatility(rows: Sequence[ModelRow]) -> FloatArray:
    return np.array([math.nan if row.volatility is None else row.volatility for row in rows], np.float64)
