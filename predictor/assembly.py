"""Numbers to `Prediction` events: column by column, for row by row takes half as long again."""

from collections.abc import Callable, Sequence
from functools import cache

from predictor.group import Group
from predictor.horizon_events import horizon_predictions
from predictor.member_events import member_predictions
from schemas.events import HorizonPrediction, MemberPrediction, Prediction
from schemas.identity import prediction_id

#: Makes what follows the feature event's id, of the versions, the members that answered, and whether the set is stale.
_IdAfter = Callable[[str, str, tuple[str, ...], bool], str]


def assemble(group: Group, indices: Sequence[int], now_ns: int) -> list[Prediction]:
    """Make the predictions of the rows at these indices, which a member with weight has answered each."""
    horizons, models, id_after = horizon_predictions(group), member_predictions(group), _id_after(group)
    return [_prediction(group, index, id_after, horizons[index], models[index], now_ns) for index in indices]


def _id_after(group: Group) -> _IdAfter:
    """Give a function that works once for all rows alike."""

    @cache
    def id_after(weights: str, intervals: str, names: tuple[str, ...], stale: bool) -> str:
        naming = group.naming
        return prediction_id("", naming.model_set, weights, intervals, names, group.signal_share, stale=stale)

    return id_after


def _prediction(
    group: Group,
    index: int,
    id_after: _IdAfter,
    horizons: list[HorizonPrediction],
    models: list[MemberPrediction],
    now_ns: int,
) -> Prediction:
    features, naming, versions = group.rows[index], group.naming, group.versions[index]
    names = tuple([model.name for model in models])
    return Prediction(
        id=features.id + id_after(versions.weights, versions.intervals, names, group.stale[index]),
        feature_id=features.id,
        ticker=features.ticker,
        interval=features.interval,
        as_of_ns=features.as_of_ns,
        current_price=features.current_price,
        bar_index=features.bar_index,
        horizons=horizons,
        models=models,
        model_set=naming.model_set,
        weights_version=versions.weights,
        intervals_version=versions.intervals,
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
