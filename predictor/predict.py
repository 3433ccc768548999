"""Feature events to predictions: one call of each model for all of them, no I/O, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from predictor.artifacts import ModelSet
from predictor.assembly import assemble
from predictor.batch import model_batch, reasons_unreadable, statistical_batch, travelled
from predictor.degraded import NO_MEMBER_ANSWERED, UNTRAINED, without
from predictor.ensemble import Answer, ask_members, ask_statistical, combine
from predictor.group import Group, Naming, Versions
from predictor.intervals import normal_half_widths, set_half_widths
from predictor.manifest import Manifest
from predictor.models.base import FloatArray, scales
from predictor.models.statistical import StatisticalForecaster
from predictor.scoring_boards import HOLD_OUT, PRIOR, ScoringBoards, Weights, Widths
from predictor.weights import Priors, shares_of
from schemas.events import Features, Prediction
from schemas.identity import USUAL_SIGNAL_SHARE


@dataclass(frozen=True, slots=True)
class Predicted:
    """One prediction for every event, in their order; and why members failed, by name."""

    predictions: list[Prediction]
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Question:
    """What `predict` was asked."""

    events: Sequence[Features]
    horizons: tuple[int, ...]
    now_ns: int
    boards: ScoringBoards | None
    signal_share: float


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
    events: Sequence[Features],
    model_set: ModelSet | None,
    horizons: tuple[int, ...],
    now_ns: int,
    boards: ScoringBoards | None = None,
    signal_share: float = USUAL_SIGNAL_SHARE,
) -> Predicted:
    """Predict every event: by the set's members where they can, else by the statistical forecaster.

    What the models cannot read (`predictor.degraded`) does not depend on the set, nor does its answer.

    Args:
        boards: What is known of the members' errors and of the intervals; None: nothing.
        signal_share: Of a horizon's volatility, which a return must pass to be a signal.
    """
    question = _Question(events, horizons, now_ns, boards, signal_share)
    unreadable = reasons_unreadable(events)
    readable = [place for place in range(len(events)) if place not in unreadable]
    made: dict[int, Prediction] = {}
    failures: dict[str, str] = {}
    if model_set is None:
        unreadable |= dict.fromkeys(readable, UNTRAINED)
    elif readable:
        made, failures = _by_members(question, readable, model_set)
        unanswered = dict.fromkeys((place for place in readable if place not in made), NO_MEMBER_ANSWERED)
        made |= _by_statistics(question, _Fallback(unanswered, _naming(model_set.manifest)))
    untrained = Naming(StatisticalForecaster.name, train_end_ns=None)
    made |= _by_statistics(question, _Fallback(unreadable, untrained))
    return Predicted([made[place] for place in range(len(events))], failures)


def _naming(manifest: Manifest) -> Naming:
    return Naming(manifest.model_set, manifest.train_end_ns, manifest.usual_directions)


def _by_members(
    question: _Question, places: list[int], model_set: ModelSet
) -> tuple[dict[int, Prediction], dict[str, str]]:
    rows, manifest, horizons = [question.events[place] for place in places], model_set.manifest, question.horizons
    batch = model_batch(rows)
    answers, failures = ask_members(model_set.members, batch, horizons)
    if not answers:
        return {}, failures
    weights, widths = _boards_of(rows, question.boards)
    slopes = np.array(manifest.slopes) if manifest.slopes else None
    ensemble = combine(answers, travelled(rows), _shares(manifest, answers, weights, len(horizons)), slopes)
    group = Group(
        rows=rows,
        ensemble=ensemble,
        half_widths=set_half_widths(manifest.interval_quantiles, batch.volatility, horizons, widths),
        volatility=scales(batch.volatility, horizons),
        degraded=_missing(model_set, answers, len(rows)),
        versions=_versions(weights, widths),
        naming=_naming(manifest),
        horizons=horizons,
        signal_share=question.signal_share,
    )
    counted = np.flatnonzero(ensemble.weights.sum(axis=0).all(axis=1)).tolist()
    made = assemble(group, counted, question.now_ns)
    return {places[index]: prediction for index, prediction in zip(counted, made, strict=True)}, failures


def _boards_of(
    rows: Sequence[Features], boards: ScoringBoards | None
) -> tuple[list[Weights | None], list[Widths | None]]:
    """Give the boards that each row may know of: none that knew something later than the row."""
    if boards is None:
        return [None] * len(rows), [None] * len(rows)
    return [boards.weights(row.as_of_ns) for row in rows], [boards.widths(row.ticker, row.as_of_ns) for row in rows]


def _shares(
    manifest: Manifest, answers: Sequence[Answer], weights: Sequence[Weights | None], horizons: int
) -> FloatArray:
    members = manifest.members
    priors = Priors(tuple(member.name for member in members), tuple(member.prior_weight for member in members))
    places = [priors.names.index(answer.name) for answer in answers]
    return shares_of(priors, weights, horizons)[places]


def _versions(weights: Sequence[Weights | None], widths: Sequence[Widths | None]) -> list[Versions]:
    return [
        Versions(PRIOR if weighed is None else weighed.version, HOLD_OUT if width is None else width.version)
        for weighed, width in zip(weights, widths, strict=True)
    ]


def _missing(model_set: ModelSet, answers: Sequence[Answer], count: int) -> list[str | None]:
    """Say for each row which members with weight are missing, those that could not be loaded too."""
    wanted = {member.name for member in model_set.manifest.members if member.prior_weight > 0}
    if not (wanted - {answer.name for answer in answers if answer.answered.all()}):
        return [None] * count
    return [without(wanted - {answer.name for answer in answers if answer.answered[row]}) for row in range(count)]


def _by_statistics(question: _Question, fallback: _Fallback) -> dict[int, Prediction]:
    if not fallback.reasons:
        return {}
    places, horizons = sorted(fallback.reasons), question.horizons
    rows = [question.events[place] for place in places]
    batch = statistical_batch(rows)
    answer = ask_statistical(StatisticalForecaster(horizons), batch)
    group = Group(
        rows=rows,
        ensemble=combine([answer], travelled(rows)),
        half_widths=normal_half_widths(answer.spreads),
        volatility=scales(batch.volatility, horizons),
        degraded=[fallback.reasons[place] for place in places],
        versions=[Versions(PRIOR, normal_intervals(horizons))] * len(rows),
        naming=fallback.naming,
        horizons=horizons,
        signal_share=question.signal_share,
    )
    return dict(zip(places, assemble(group, range(len(rows)), question.now_ns), strict=True))
