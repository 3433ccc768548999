"""Sums by date to the scores of a horizon."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from feature_stream.scores.columns import (
    ENSEMBLE_ROW,
    FIRST_MEMBER_ROW,
    HORIZON_ROW,
    UNCHANGED_ROW,
    FloatArray,
    OfHorizon,
    OfModel,
)
from feature_stream.uncertainty import MeanByDate, means_by_date
from schemas.events import HorizonScore, ModelScore


@dataclass(frozen=True, slots=True)
class _Mean:
    """A mean of date means, and how sure it is; None where there is none, or no telling."""

    mean: float | None = None
    sure: MeanByDate | None = None

    @property
    def interval(self) -> tuple[float | None, float | None]:
        return (None, None) if self.sure is None else self.sure.interval()


_NO_TRIALS = _Mean()


def horizon_score(sums: FloatArray, names: Sequence[str], horizon: int) -> HorizonScore:
    """Score a horizon; weights, widths and quantiles are for the caller to add.

    Args:
        sums: (dates, 3 + members, columns) of `contributions`, in the order of the dates, one date or more.
        names: Of the members; those without any outcome here are left out.
        horizon: In bars.
    """
    totals: list[list[float]] = sums.sum(axis=0).tolist()
    usual, difference, loss, *hits = _means(*_series(sums), horizon)
    models = {
        name: _model_score(totals[row], hits[row - ENSEMBLE_ROW])
        for name, row in sorted((name, FIRST_MEMBER_ROW + place) for place, name in enumerate(names))
        if totals[row][OfModel.COUNT] > 0
    }
    of_all = totals[HORIZON_ROW]
    return HorizonScore(
        horizon=horizon,
        settled_dates=len(sums),
        ensemble=_model_score(totals[ENSEMBLE_ROW], hits[0]),
        naive=_model_score(totals[UNCHANGED_ROW], _NO_TRIALS),
        models=models,
        weights={},
        slope=_share(of_all[OfHorizon.FORECAST_ACTUAL], of_all[OfHorizon.FORECAST_SQUARE]) or 0.0,
        coverage_95=_share(of_all[OfHorizon.INSIDE_95], of_all[OfHorizon.KNOWN_95]),
        coverage_99=_share(of_all[OfHorizon.INSIDE_99], of_all[OfHorizon.KNOWN_99]),
        interval_score_95=_share(of_all[OfHorizon.SCORE_95], of_all[OfHorizon.WIDTHS_95]),
        interval_score_99=_share(of_all[OfHorizon.SCORE_99], of_all[OfHorizon.WIDTHS_99]),
        usual_hit_rate=usual.mean,
        hit_rate_difference=difference.mean,
        hit_rate_difference_low=difference.interval[0],
        hit_rate_difference_high=difference.interval[1],
        error_ratio=_share(totals[ENSEMBLE_ROW][OfModel.SQUARE], totals[UNCHANGED_ROW][OfModel.SQUARE]),
        error_p_value=None if loss.sure is None else loss.sure.p_two_sided,
    )


def score_alone(sums: FloatArray, horizon: int) -> ModelScore:
    """Score one forecast by itself.

    Args:
        sums: (dates, columns) of `OfModel`, in the order of the dates; one date or more, each with an outcome of it.
        horizon: In bars.
    """
    (hits,) = _means(sums[:, OfModel.HITS][None], sums[:, OfModel.TRIALS][None], horizon)
    return _model_score(sums.sum(axis=0).tolist(), hits)


def _model_score(total: list[float], hits: _Mean) -> ModelScore:
    count = total[OfModel.COUNT]
    low, high = hits.interval
    right, said, was = total[OfModel.RIGHTLY_UP], total[OfModel.SAID_UP], total[OfModel.WAS_UP]
    return ModelScore(
        count=round(count),
        mean_absolute_error=total[OfModel.ABSOLUTE] / count,
        root_mean_squared_error=math.sqrt(total[OfModel.SQUARE] / count),
        mean_absolute_percentage_error=100.0 * total[OfModel.PRICE_SHARE] / count,
        scaled_mean_squared_error=_share(total[OfModel.SCALED_SQUARE], total[OfModel.SCALED_COUNT]),
        trials=round(total[OfModel.TRIALS]),
        hit_rate=hits.mean,
        hit_rate_low=None if low is None else max(0.0, low),
        hit_rate_high=None if high is None else min(1.0, high),
        precision=_share(right, said),
        recall=_share(right, was),
        f1=_share(2.0 * right, said + was),
        mean_confidence=_share(total[OfModel.CONFIDENCE], total[OfModel.SURE]),
        brier_score=_share(total[OfModel.BRIER], total[OfModel.SURE]),
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _series(sums: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give what is counted on each date and of how many, (series, dates) each.

    Of the usual direction's hits, the hits that are more than those, the squared errors that are more than those of no
    change, and the hits of every row of models.
    """
    of_all, models = sums[:, HORIZON_ROW].T, sums[:, ENSEMBLE_ROW:].T
    usual, beside = of_all[OfHorizon.USUAL_HITS], of_all[OfHorizon.USUAL_TRIALS]
    more_loss = models[OfModel.SQUARE, 0] - models[OfModel.SQUARE, UNCHANGED_ROW - ENSEMBLE_ROW]
    counted = [usual, of_all[OfHorizon.HITS_BESIDE_USUAL] - usual, more_loss, *models[OfModel.HITS]]
    return np.stack(counted), np.stack([beside, beside, models[OfModel.COUNT, 0], *models[OfModel.TRIALS]])


def _means(counted: FloatArray, trials: FloatArray, horizon: int) -> list[_Mean]:
    """Average the share of each date over the dates that have trials.

    Series with trials on the same dates, as most have, are taken together.
    """
    means = [_NO_TRIALS] * len(trials)
    masks = [row.tobytes() for row in trials > 0]
    for _, same in groupby(sorted(range(len(masks)), key=masks.__getitem__), key=masks.__getitem__):
        rows = list(same)
        at = trials[rows[0]] > 0
        if at.any():
            dates = slice(None) if at.all() else at  # most have trials on every date: nothing is to be picked out then
            shares = np.ascontiguousarray(counted[rows][:, dates] / trials[rows][:, dates])
            found = zip(shares.mean(axis=1).tolist(), means_by_date(shares, horizon), strict=True)
            for row, (mean, sure) in zip(rows, found, strict=True):
                means[row] = _Mean(mean, sure)
    return means
