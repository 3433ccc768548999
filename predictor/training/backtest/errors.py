"""Errors and directions of every forecaster, beside no change and beside the direction that was usual."""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct, structs

from feature_stream.uncertainty import MeanByDate, compare_hits, compare_losses, date_means
from predictor.training.backtest.tables import FloatArray, Table

ENSEMBLE = "ensemble"
#: The ensemble where it answered: without what the statistical forecaster said in its place.
MODELS_ALONE = "ensemble_without_fallback"
#: A forecaster that says this is the baseline itself.
BASELINE = "naive"


class ForecasterScore(Struct, frozen=True, kw_only=True):
    """One forecaster at one horizon, on the outcomes that it answered.

    Attributes:
        error_ratio: Root mean squared error over that of no change; below 1 is better.
        p_better: One-sided Diebold-Mariano (Harvey, Leybourne and Newbold) by date: small where it is better than no
            change; null with too few dates to tell.
        p_better_of_all: The same by Holm (1979), for all forecasters and horizons that are tried here at once.
        hit_rate: Mean over the dates of the share of right directions; the ensemble's where it had one, a member's by
            the sign of its forecast.
        hit_rate_difference: Less that of the usual direction on the same trials, paired by date.
    """

    name: str
    count: int
    mean_absolute_error: float
    root_mean_squared_error: float
    error_ratio: float | None
    p_better: float | None
    p_better_of_all: float | None = None
    hit_rate: float | None = None
    hit_rate_difference: float | None = None
    hit_rate_difference_low: float | None = None
    hit_rate_difference_high: float | None = None
    p_hits_more: float | None = None


def forecaster_scores(table: Table) -> list[ForecasterScore]:
    """Score the ensemble and its members; where others answered for it, also without these."""
    signs = {name: np.sign(forecast) for name, forecast in table.members.items()}
    scores = [_score(ENSEMBLE, table, table.predicted, table.direction)]
    if table.fallback.any() and not table.fallback.all():
        own = table.rows(~table.fallback)
        scores.append(_score(MODELS_ALONE, own, own.predicted, own.direction))
    return scores + [_score(name, table, table.members[name], signs[name]) for name in sorted(signs)]


def _score(name: str, table: Table, forecast: FloatArray, direction: FloatArray) -> ForecasterScore:
    answered = np.isfinite(forecast)
    own = table.rows(answered)
    errors = np.square(forecast[answered] - own.actual)
    unchanged = np.square(own.actual)
    compared = _compared(own, errors, unchanged)
    return structs.replace(
        ForecasterScore(
            name=name,
            count=len(own),
            mean_absolute_error=float(np.mean(np.sqrt(errors))),
            root_mean_squared_error=float(np.sqrt(np.mean(errors))),
            error_ratio=ratio_of(errors, unchanged),
            p_better=None if compared is None else compared.p_below,
        ),
        **_hits(own, direction[answered]),
    )


def ratio_of(errors: FloatArray, unchanged: FloatArray) -> float | None:
    """Give the ratio of root mean squared errors; of squares."""
    naive = float(np.mean(unchanged)) if len(unchanged) else 0.0
    return float(np.sqrt(np.mean(errors) / naive)) if naive > 0 else None


def _compared(own: Table, errors: FloatArray, unchanged: FloatArray) -> MeanByDate | None:
    _, ours = date_means(own.matured_ns, errors)
    _, theirs = date_means(own.matured_ns, unchanged)
    return compare_losses(ours, theirs, own.horizon)


def _hits(own: Table, direction: FloatArray) -> dict[str, float | None]:
    trials = (direction != 0) & (own.actual != 0)
    if not trials.any():
        return {}
    ends, moved = own.matured_ns[trials], np.sign(own.actual[trials])
    hits = (direction[trials] == moved).astype(np.float64)
    found: dict[str, float | None] = {"hit_rate": float(date_means(ends, hits)[1].mean())}
    known = own.usual[trials] != 0
    if not known.any():
        return found
    usual_hits = (own.usual[trials] == moved).astype(np.float64)
    beside = compare_hits(ends[known], hits[known], usual_hits[known], own.horizon)
    found["hit_rate_difference"] = float(date_means(ends[known], (hits - usual_hits)[known])[1].mean())
    if beside is not None:
        found["hit_rate_difference_low"], found["hit_rate_difference_high"] = beside.interval()
        found["p_hits_more"] = beside.p_above
    return found


def adjusted(scores: Mapping[int, Sequence[ForecasterScore]]) -> dict[int, list[ForecasterScore]]:
    """Correct the probabilities for how many were tried, by Holm's method; the baseline itself is not tried."""
    tried = sorted(
        (score.p_better, horizon, score.name)
        for horizon, those in scores.items()
        for score in those
        if score.p_better is not None and score.name != BASELINE
    )
    corrected: dict[tuple[int, str], float] = {}
    largest = 0.0
    for place, (p_value, horizon, name) in enumerate(tried):
        largest = max(largest, min(1.0, (len(tried) - place) * p_value))
        corrected[horizon, name] = largest
    return {
        horizon: [structs.replace(score, p_better_of_all=corrected.get((horizon, score.name))) for score in those]
        for horizon, those in scores.items()
    }
