"""Sums by date to the scores of a horizon."""

import math
from collections.abc import Iterator, Sequence
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
from feature_stream.uncertainty import compare_losses, means_by_date
from schemas.events import HorizonScore, ModelScore

#: A mean of date means, and the ends of its interval at 95 %.
_Rate = tuple[float | None, float | None, float | None]
_NO_RATE: _Rate = (None, None, None)


def horizon_score(sums: FloatArray, names: Sequence[str], horizon: int) -> HorizonScore:
    """Score a horizon; weights, widths and quantiles are for the caller to add.

    Args:
        sums: (dates, 3 + members, columns) of `contributions`, in the order of the dates, one date or more.
        names: Of the members; those without any outcome here are left out.
        horizon: In bars.
    """
    totals: list[list[float]] = sums.sum(axis=0).tolist()
    usual, difference, *rates = _all_rates(sums, horizon)
    models = {
        name: _model_score(totals[row], rates[row - ENSEMBLE_ROW])
        for name, row in sorted((name, FIRST_MEMBER_ROW + place) for place, name in enumerate(names))
        if totals[row][OfModel.COUNT] > 0
    }
    of_all = totals[HORIZON_ROW]
    return HorizonScore(
        horizon=horizon,
        settled_dates=len(sums),
        ensemble=_model_score(totals[ENSEMBLE_ROW], rates[0]),
        naive=_model_score(totals[UNCHANGED_ROW], _NO_RATE),
        models=models,
        weights={},
        slope=_share(of_all[OfHorizon.FORECAST_ACTUAL], of_all[OfHorizon.FORECAST_SQUARE]) or 0.0,
        coverage_95=_share(of_all[OfHorizon.INSIDE_95], of_all[OfHorizon.KNOWN_95]),
        coverage_99=_share(of_all[OfHorizon.INSIDE_99], of_all[OfHorizon.KNOWN_99]),
        interval_score_95=_share(of_all[OfHorizon.SCORE_95], of_all[OfHorizon.WIDTHS_95]),
        interval_score_99=_share(of_all[OfHorizon.SCORE_99], of_all[OfHorizon.WIDTHS_99]),
        usual_hit_rate=usual[0],
        hit_rate_difference=difference[0],
        hit_rate_difference_low=difference[1],
        hit_rate_difference_high=difference[2],
        error_ratio=_share(totals[ENSEMBLE_ROW][OfModel.SQUARE], totals[UNCHANGED_ROW][OfModel.SQUARE]),
        error_p_value=_error_p_value(sums, horizon),
    )


def _model_score(total: list[float], hit_rate: _Rate) -> ModelScore:
    count = total[OfModel.COUNT]
    rate, low, high = hit_rate
    right, said, was = total[OfModel.RIGHTLY_UP], total[OfModel.SAID_UP], total[OfModel.WAS_UP]
    return ModelScore(
        count=round(count),
        mean_absolute_error=total[OfModel.ABSOLUTE] / count,
        root_mean_squared_error=math.sqrt(total[OfModel.SQUARE] / count),
        mean_absolute_percentage_error=100.0 * total[OfModel.PRICE_SHARE] / count,
        scaled_mean_squared_error=_share(total[OfModel.SCALED_SQUARE], total[OfModel.SCALED_COUNT]),
        trials=round(total[OfModel.TRIALS]),
        hit_rate=rate,
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


def _all_rates(sums: FloatArray, horizon: int) -> list[_Rate]:
    """Give the usual direction's hit rate, the difference to it, and the hit rates of all rows of models."""
    of_all = sums[:, HORIZON_ROW].T
    usual = of_all[OfHorizon.USUAL_HITS]
    counted = [usual, of_all[OfHorizon.HITS_BESIDE_USUAL] - usual, *sums[:, ENSEMBLE_ROW:, OfModel.HITS].T]
    trials = [of_all[OfHorizon.USUAL_TRIALS]] * 2 + [*sums[:, ENSEMBLE_ROW:, OfModel.TRIALS].T]
    return _rates(np.stack(counted), np.stack(trials), horizon)


def _rates(counted: FloatArray, trials: FloatArray, horizon: int) -> list[_Rate]:
    """Average the share of each date over the dates that have trials: nulls where there is none, or no telling.

    Series with trials on the same dates, as most have, are taken together.
    """
    rates: list[_Rate] = [_NO_RATE] * len(trials)
    masks = [row.tobytes() for row in trials > 0]
    for _, same in groupby(sorted(range(len(masks)), key=masks.__getitem__), key=masks.__getitem__):
        rows = list(same)
        at = trials[rows[0]] > 0
        if at.any():
            shares = np.ascontiguousarray(counted[rows][:, at] / trials[rows][:, at])
            for row, rate in zip(rows, _rates_of(shares, horizon), strict=True):
                rates[row] = rate
    return rates


def _rates_of(shares: FloatArray, horizon: int) -> Iterator[_Rate]:
    for mean, sure in zip(shares.mean(axis=1).tolist(), means_by_date(shares, horizon), strict=True):
        yield (mean, None, None) if sure is None else (mean, *sure.interval())


def _error_p_value(sums: FloatArray, horizon: int) -> float | None:
    ours, unchanged = sums[:, ENSEMBLE_ROW], sums[:, UNCHANGED_ROW]
    compared = compare_losses(
        ours[:, OfModel.SQUARE] / ours[:, OfModel.COUNT],
        unchanged[:, OfModel.SQUARE] / unchanged[:, OfModel.COUNT],
        horizon,
    )
    return None if compared is None else compared.p_two_sided
