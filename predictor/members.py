"""What the members of one set say of the events that models can read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from predictor.artifacts import ModelSet
from predictor.assembly import assemble
from predictor.batch import travelled
from predictor.degraded import and_stale, without
from predictor.ensemble import Answer, ask_members, combine
from predictor.group import Group, Naming, Versions
from predictor.intervals import set_half_widths
from predictor.manifest import Manifest
from predictor.models.base import FloatArray, scales
from predictor.question import Question
from predictor.scoring_boards import HOLD_OUT, PRIOR, Weights, Widths
from predictor.weights import Priors, shares_of
from schemas.events import Prediction


@dataclass(frozen=True, slots=True)
class Answered:
    """Predictions by the place of their event; and why members failed, by name.

    Attributes:
        refused: Places of the events for which the set is too old.
    """

    made: Mapping[int, Prediction] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    refused: frozenset[int] = frozenset()


def naming_of(manifest: Manifest) -> Naming:
    """Give what names and marks the predictions of a set."""
    return Naming(manifest.model_set, manifest.train_end_ns, manifest.usual_directions)


def by_members(question: Question, model_set: ModelSet, *, keep_priors: bool = False) -> Answered:
    """Ask a set; an event that none of its members with a weight has answered is not among the predictions.

    Args:
        keep_priors: Its members keep their prior weights, whatever a board says.
    """
    places, rows, horizons, manifest = question.places, question.rows, question.horizons, model_set.manifest
    stale = _stale(question, manifest)
    refused = frozenset(place for place, old in zip(places, stale, strict=True) if old and question.ages.refuse)
    if len(refused) == len(places):
        return Answered(refused=refused)
    answers, failures = ask_members(model_set.members, question.batch, horizons)
    if not answers:
        return Answered(failures=failures, refused=refused)
    weights, widths = _boards_of(question, keep_priors=keep_priors)
    ensemble = combine(
        answers,
        travelled(rows),
        _shares(manifest, answers, weights, len(horizons)),
        np.array(manifest.slopes) if manifest.slopes else None,
    )
    group = Group(
        rows=rows,
        ensemble=ensemble,
        half_widths=set_half_widths(manifest.interval_quantiles, question.batch.volatility, horizons, widths),
        volatility=scales(question.batch.volatility, horizons),
        degraded=_degraded(model_set, answers, stale),
        versions=_versions(weights, widths),
        naming=naming_of(manifest),
        horizons=horizons,
        signal_share=question.signal_share,
        stale=stale,
    )
    usable = np.flatnonzero(ensemble.weights.sum(axis=0).all(axis=1)).tolist()
    counted = [index for index in usable if places[index] not in refused]
    made = assemble(group, counted, question.now_ns)
    by_place = {places[index]: prediction for index, prediction in zip(counted, made, strict=True)}
    return Answered(by_place, failures, refused)


def _stale(question: Question, manifest: Manifest) -> list[bool]:
    times = [row.as_of_ns for row in question.rows]
    known = {time_ns: question.ages.is_stale(manifest.train_end_ns, time_ns) for time_ns in set(times)}
    return [known[time_ns] for time_ns in times]


def _boards_of(question: Question, *, keep_priors: bool) -> tuple[list[Weights | None], list[Widths | None]]:
    """Give the boards that each row may know of: none that knew something later than the row."""
    rows, boards = question.rows, question.boards
    if boards is None:
        return [None] * len(rows), [None] * len(rows)
    weights = [None if keep_priors else boards.weights(row.as_of_ns) for row in rows]
    return weights, [boards.widths(row.ticker, row.as_of_ns) for row in rows]


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


def _degraded(model_set: ModelSet, answers: Sequence[Answer], stale: Sequence[bool]) -> list[str | None]:
    """Say for each row which members with weight are missing, those that could not be loaded too, and if it is old."""
    wanted = {member.name for member in model_set.manifest.members if member.prior_weight > 0}
    missing: list[str | None] = [None] * len(stale)
    if wanted - {answer.name for answer in answers if answer.answered.all()}:
        missing = [
            without(wanted - {answer.name for answer in answers if answer.answered[row]}) for row in range(len(stale))
        ]
    return [and_stale(reason, stale=old) for reason, old in zip(missing, stale, strict=True)]
