"""Numbers to `Prediction` events."""

import math
from collections.abc import Sequence

from predictor.group import Group, Numbers, horizon_numbers, member_numbers
from predictor.targets import target_time_ns
from schemas.events import (
    Direction,
    HorizonPrediction,
    MemberHorizon,
    MemberPrediction,
    Prediction,
    PriceRange,
)
from schemas.identity import prediction_id


def assemble(group: Group, indices: Sequence[int], now_ns: int) -> list[Prediction]:
    """Make the predictions of the rows at these indices, which a member with weight has answered each."""
    horizons, members = horizon_numbers(group), member_numbers(group)
    return [
        _prediction(group, index, _horizons(group, index, horizons[index]), _models(group, index, members), now_ns)
        for index in indices
    ]


def direction_of(log_return: float, confidence: float) -> Direction:
    """Give the direction; neutral where it is no likelier right than wrong."""
    if confidence <= 0.5:
        return Direction.NEUTRAL
    return Direction.BULLISH if log_return > 0 else Direction.BEARISH


def _prediction(
    group: Group, index: int, horizons: list[HorizonPrediction], models: list[MemberPrediction], now_ns: int
) -> Prediction:
    features, naming = group.rows[index], group.naming
    names = [model.name for model in models]
    return Prediction(
        id=prediction_id(features.id, naming.model_set, naming.weights_version, naming.intervals_version, names),
        feature_id=features.id,
        ticker=features.ticker,
        interval=features.interval,
        as_of_ns=features.as_of_ns,
        current_price=features.current_price,
        bar_index=features.bar_index,
        horizons=horizons,
        models=models,
        model_set=naming.model_set,
        weights_version=naming.weights_version,
        intervals_version=naming.intervals_version,
        provisional=not features.final,
        in_sample=naming.train_end_ns is not None and features.as_of_ns <= naming.train_end_ns,
        source_partition=features.source_partition,
        source_offset=features.source_offset,
        ingested_at_ns=features.ingested_at_ns,
        featured_at_ns=features.featured_at_ns,
        predicted_at_ns=now_ns,
        degraded=group.degraded[index],
        bar=features.bar,
        partial=features.partial,
        origin=features.origin,
    )


def _horizons(group: Group, index: int, numbers: list[list[float]]) -> list[HorizonPrediction]:
    features = group.rows[index]
    return [
        HorizonPrediction(
            horizon=horizon,
            target_time_ns=target_time_ns(features, horizon),
            log_return=log_return,
            percent=percent,
            price_target=target,
            direction=direction_of(log_return, confidence),
            confidence=confidence,
            interval_95=None if math.isnan(low_95) else PriceRange(low_95, high_95),
            interval_99=None if math.isnan(low_99) else PriceRange(low_99, high_99),
        )
        for horizon, (log_return, percent, target, confidence, low_95, high_95, low_99, high_99) in zip(
            group.horizons, numbers, strict=True
        )
    ]


def _models(group: Group, index: int, numbers: Sequence[Numbers]) -> list[MemberPrediction]:
    return [
        MemberPrediction(name=answer.name, version=answer.version, horizons=_member(group.horizons, own[index]))
        for answer, own in zip(group.ensemble.answers, numbers, strict=True)
        if answer.answered[index]
    ]


def _member(horizons: tuple[int, ...], numbers: list[list[float]]) -> list[MemberHorizon]:
    return [
        MemberHorizon(
            horizon=horizon,
            log_return=log_return,
            spread=spread if math.isfinite(spread) else None,
            confidence=confidence,
            weight=weight,
        )
        for horizon, (log_return, spread, confidence, weight) in zip(horizons, numbers, strict=True)
    ]
