"""Numbers to `Prediction` events."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from predictor.ensemble import Ensemble
from predictor.intervals import HalfWidths, price_range
from predictor.targets import target_time_ns
from schemas.events import Direction, Features, HorizonPrediction, MemberHorizon, MemberPrediction, Prediction
from schemas.identity import prediction_id


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


def assemble(group: Group, index: int, now_ns: int) -> Prediction:
    """Make the prediction of one row, which a member with weight has answered."""
    features, naming = group.rows[index], group.naming
    models = _models(group, index)
    names = [model.name for model in models]
    return Prediction(
        id=prediction_id(features.id, naming.model_set, naming.weights_version, naming.intervals_version, names),
        feature_id=features.id,
        ticker=features.ticker,
        interval=features.interval,
        as_of_ns=features.as_of_ns,
        current_price=features.current_price,
        bar_index=features.bar_index,
        horizons=[_horizon(group, index, place) for place in range(len(group.horizons))],
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


def direction_of(log_return: float, confidence: float) -> Direction:
    """Give the direction; neutral where it is no likelier right than wrong."""
    if confidence <= 0.5:
        return Direction.NEUTRAL
    return Direction.BULLISH if log_return > 0 else Direction.BEARISH


def _horizon(group: Group, index: int, place: int) -> HorizonPrediction:
    features, horizon = group.rows[index], group.horizons[place]
    log_return = float(group.ensemble.log_returns[index, place])
    confidence = float(group.ensemble.confidences[index, place])
    narrow, wide = (float(half_widths[index, place]) for half_widths in group.half_widths)
    return HorizonPrediction(
        horizon=horizon,
        target_time_ns=target_time_ns(features, horizon),
        log_return=log_return,
        percent=100.0 * math.expm1(log_return),
        price_target=features.current_price * math.exp(log_return),
        direction=direction_of(log_return, confidence),
        confidence=confidence,
        interval_95=price_range(features.current_price, log_return, narrow),
        interval_99=price_range(features.current_price, log_return, wide),
    )


def _models(group: Group, index: int) -> list[MemberPrediction]:
    answers = group.ensemble.answers
    return [
        MemberPrediction(name=answer.name, version=answer.version, horizons=_member(group, member, index))
        for member, answer in enumerate(answers)
        if answer.answered[index]
    ]


def _member(group: Group, member: int, index: int) -> list[MemberHorizon]:
    ensemble = group.ensemble
    weight = float(ensemble.weights[member, index])
    spreads = ensemble.answers[member].spreads[index].tolist()
    returns = ensemble.own_log_returns[member, index].tolist()
    confidences = ensemble.own_confidences[member, index].tolist()
    return [
        MemberHorizon(
            horizon=horizon,
            log_return=own,
            spread=spread if math.isfinite(spread) else None,
            confidence=confidence,
            weight=weight,
        )
        for horizon, own, spread, confidence in zip(group.horizons, returns, spreads, confidences, strict=True)
    ]
