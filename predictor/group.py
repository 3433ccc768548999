"""Rows that the same members answered, and their numbers as plain lists."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from predictor.ensemble import Ensemble
from predictor.intervals import HalfWidths, price_bounds
from schemas.events import Features

#: By row, horizon and column.
Numbers = list[list[list[float]]]


@dataclass(frozen=True, slots=True)
class Naming:
    """What names and marks the predictions of a group, beside the members.

    Attributes:
        train_end_ns: As of a time up to this, a prediction is in the sample; None: nothing was trained.
    """

    model_set: str
    weights_version: str
    intervals_version: str
    train_end_ns: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """Events that the same members were asked about: n rows."""

    rows: Sequence[Features]
    ensemble: Ensemble
    half_widths: HalfWidths
    degraded: Sequence[str | None]
    naming: Naming
    horizons: tuple[int, ...]


def horizon_numbers(group: Group) -> Numbers:
    """Give, for each row and horizon: log return, percent, target, confidence, low and high at 95 %, then at 99 %.

    All rows at once: one by one takes twice the time.
    """
    prices = np.array([row.current_price for row in group.rows])[:, None]
    log_returns = group.ensemble.log_returns
    narrow, wide = (price_bounds(prices, log_returns, each) for each in group.half_widths)
    columns = (
        log_returns,
        100.0 * np.expm1(log_returns),
        prices * np.exp(log_returns),
        group.ensemble.confidences,
        *narrow,
        *wide,
    )
    numbers: Numbers = np.stack(columns, axis=-1).tolist()
    return numbers


def member_numbers(group: Group) -> list[Numbers]:
    """Give, for each member, row and horizon: log return, spread, confidence, weight."""
    ensemble = group.ensemble
    spreads = np.stack([answer.spreads for answer in ensemble.answers])
    weights = np.broadcast_to(ensemble.weights[:, :, None], spreads.shape)
    columns = (ensemble.own_log_returns, spreads, ensemble.own_confidences, weights)
    numbers: list[Numbers] = np.stack(columns, axis=-1).tolist()
    return numbers
