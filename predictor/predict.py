"""Feature events to predictions: one call of each model for all of them, no I/O, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from predictor.artifacts import ModelSet
from predictor.assembly import assemble
from predictor.batch import model_batch, statistical_batch, travelled, why_not_for_models
from predictor.degraded import NO_MEMBER_ANSWERED, UNTRAINED, without
from predictor.ensemble import Answer, ask_members, ask_statistical, combine
from predictor.group import Group, Naming
from predictor.intervals import hold_out_half_widths, normal_half_widths
from predictor.models.statistical import StatisticalForecaster
from schemas.events import Features, Prediction

#: Versions of weights and intervals, as in `Prediction`.
PRIOR = "prior"
HOLD_OUT = "holdout"


@dataclass(frozen=True, slots=True)
class Predicted:
    """One prediction for every event, in their order; and why members failed, by name."""

    predictions: list[Prediction]
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Fallback:
    """Events (by their place in the batch) that the statistical forecaster answers, and why."""

    reasons: dict[int, str]
    naming: Naming


def normal_intervals(horizons: tuple[int, ...]) -> str:
    """Name the version of normal intervals, like `normal2-1.5.21`: the second definition of their spread.

    A model set is made for its horizons. The statistical forecaster answers for any, so its ids must tell them.
    """
    return f"normal2-{'.'.join(map(str, horizons))}"


def predict(
    events: Sequence[Features], model_set: ModelSet | None, horizons: tuple[int, ...], now_ns: int
) -> Predicted:
    """Predict every event: by the set's members where they can, else by the statistical forecaster.

    What the models cannot read (`predictor.degraded`) does not depend on the set, nor does its answer.
    """
    unreadable = {place: why for place, event in enumerate(events) if (why := why_not_for_models(event)) is not None}
    readable = [place for place in range(len(events)) if place not in unreadable]
    normal = normal_intervals(horizons)
    untrained = Naming(StatisticalForecaster.name, PRIOR, normal, train_end_ns=None)
    made: dict[int, Prediction] = {}
    failures: dict[str, str] = {}
    if model_set is None:
        unreadable |= dict.fromkeys(readable, UNTRAINED)
    elif readable:
        made, failures = _by_members(events, readable, model_set, horizons, now_ns)
        unanswered = dict.fromkeys((place for place in readable if place not in made), NO_MEMBER_ANSWERED)
        naming = Naming(model_set.manifest.model_set, PRIOR, normal, model_set.manifest.train_end_ns)
        made |= _by_statistics(events, _Fallback(unanswered, naming), horizons, now_ns)
    made |= _by_statistics(events, _Fallback(unreadable, untrained), horizons, now_ns)
    return Predicted([made[place] for place in range(len(events))], failures)


def _by_members(
    events: Sequence[Features], places: list[int], model_set: ModelSet, horizons: tuple[int, ...], now_ns: int
) -> tuple[dict[int, Prediction], dict[str, str]]:
    rows, manifest = [events[place] for place in places], model_set.manifest
    batch = model_batch(rows)
    answers, failures = ask_members(model_set.members, batch, horizons)
    if not answers:
        return {}, failures
    ensemble = combine(answers, travelled(rows))
    group = Group(
        rows=rows,
        ensemble=ensemble,
        half_widths=hold_out_half_widths(manifest.interval_quantiles, batch.volatility, horizons),
        degraded=_missing(model_set, answers, len(rows)),
        naming=Naming(manifest.model_set, PRIOR, HOLD_OUT, manifest.train_end_ns),
        horizons=horizons,
    )
    counted = np.flatnonzero(ensemble.weights.sum(axis=0) > 0).tolist()
    made = assemble(group, counted, now_ns)
    return {places[index]: prediction for index, prediction in zip(counted, made, strict=True)}, failures


def _missing(model_set: ModelSet, answers: Sequence[Answer], count: int) -> list[str | None]:
    """Say for each row which members with weight are missing, those that could not be loaded too."""
    wanted = {member.name for member in model_set.manifest.members if member.prior_weight > 0}
    if not (wanted - {answer.name for answer in answers if answer.answered.all()}):
        return [None] * count
    return [without(wanted - {answer.name for answer in answers if answer.answered[row]}) for row in range(count)]


def _by_statistics(
    events: Sequence[Features], fallback: _Fallback, horizons: tuple[int, ...], now_ns: int
) -> dict[int, Prediction]:
    if not fallback.reasons:
        return {}
    places = sorted(fallback.reasons)
    rows = [events[place] for place in places]
    answer = ask_statistical(StatisticalForecaster(horizons), statistical_batch(rows))
    group = Group(
        rows=rows,
        ensemble=combine([answer], travelled(rows)),
        half_widths=normal_half_widths(answer.spreads),
        degraded=[fallback.reasons[place] for place in places],
        naming=fallback.naming,
        horizons=horizons,
    )
    return dict(zip(places, assemble(group, range(len(rows)), now_ns), strict=True))
