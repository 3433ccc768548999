"""The ensemble's numbers to what `Prediction` says of each horizon."""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import numpy as np

from predictor.columns import by_row, or_none
from predictor.group import Group
from predictor.intervals import loss_percent, price_bounds
from predictor.models.base import FloatArray
from predictor.signals import directions, signals
from predictor.targets import target_time_ns
from schemas.events import HorizonPrediction, PriceRange


def horizon_predictions(group: Group) -> list[list[HorizonPrediction]]:
    """Give the predictions by row and horizon."""
    made = [
        HorizonPrediction(
            horizon=horizon,
            target_time_ns=target_ns,
            log_return=log_return,
            percent=percent,
            price_target=price_target,
            direction=direction,
            confidence=confidence,
            interval_95=interval_95,
            interval_99=interval_99,
            signal=signal,
            volatility=volatility,
            loss_95_percent=loss_95_percent,
            usual_direction=usual_direction,
        )
        for (
            horizon,
            target_ns,
            log_return,
            percent,
            price_target,
            direction,
            confidence,
            interval_95,
            interval_99,
            signal,
            volatility,
            loss_95_percent,
            usual_direction,
        ) in _columns(group)
    ]
    return by_row(made, len(group.horizons))


def _columns(group: Group) -> Iterator[tuple[Any, ...]]:
    """Give every field of every horizon, row after row."""
    count = len(group.rows)
    prices = np.array([row.current_price for row in group.rows])[:, None]
    log_returns, confidences = group.ensemble.log_returns, group.ensemble.confidences
    usual = group.naming.usual_directions or (None,) * len(group.horizons)
    return zip(
        chain.from_iterable(repeat(group.horizons, count)),
        _targets_ns(group),
        log_returns.ravel().tolist(),
        (100.0 * np.expm1(log_returns)).ravel().tolist(),
        (prices * np.exp(log_returns)).ravel().tolist(),
        directions(log_returns, confidences).ravel().tolist(),
        confidences.ravel().tolist(),
        _ranges(prices, log_returns, group.half_widths.at_95),
        _ranges(prices, log_returns, group.half_widths.at_99),
        signals(log_returns, confidences, group.volatility, group.signal_share).ravel().tolist(),
        or_none(group.volatility),
        or_none(loss_percent(log_returns, group.half_widths.at_90)),
        chain.from_iterable(repeat(usual, count)),
        strict=True,
    )


def _targets_ns(group: Group) -> list[int]:
    """Give the ends of all horizons; those of rows of one bar are the same."""
    known: dict[tuple[int, int, bool], list[int]] = {}
    found: list[int] = []
    for row in group.rows:
        bar = row.bar.start_ns, row.bar.end_ns, row.final
        if bar not in known:
            known[bar] = [target_time_ns(row, horizon) for horizon in group.horizons]
        found += known[bar]
    return found


def _ranges(prices: FloatArray, log_returns: FloatArray, half_widths: FloatArray) -> list[PriceRange | None]:
    lows, highs = price_bounds(prices, log_returns, half_widths)
    pairs = zip(or_none(lows), highs.ravel().tolist(), strict=True)
    return [None if low is None else PriceRange(low, high) for low, high in pairs]
