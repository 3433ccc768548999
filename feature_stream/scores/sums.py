"""What each outcome contributes to the scores of its date."""

import numpy as np

from feature_stream.scores.columns import (
    COLUMNS,
    ENSEMBLE_ROW,
    FIRST_MEMBER_ROW,
    HORIZON_ROW,
    FloatArray,
    Known,
    OfHorizon,
    OfModel,
)

#: A row for each forecast, a column for each outcome.
_Rows = FloatArray


def contributions(known: FloatArray, members: FloatArray) -> FloatArray:
    """Give what each outcome adds to the sums.

    Args:
        known: (n, `Known`).
        members: (n, members, 2); NaN where a member gave no answer.

    Returns:
        (n, 3 + members, columns): a row of `OfHorizon`, then rows of `OfModel`. What is added up lies side by side.
    """
    n, count, _ = members.shape
    added = np.zeros((COLUMNS, FIRST_MEMBER_ROW + count, n))
    by_field = np.ascontiguousarray(known.T)
    forecasts, confidences = np.zeros((2 + count, n)), np.full((2 + count, n), np.nan)
    forecasts[0], forecasts[2:] = by_field[Known.PREDICTED], members[:, :, 0].T
    confidences[0], confidences[2:] = by_field[Known.CONFIDENCE], members[:, :, 1].T
    of_models = added[:, ENSEMBLE_ROW:]
    _add_errors(of_models, by_field, forecasts)
    _add_directions(of_models, by_field, forecasts)
    _add_confidences(of_models, by_field, confidences)
    _add_horizon(added[:, HORIZON_ROW], by_field)
    return added.transpose(2, 1, 0)


def _add_errors(of_models: FloatArray, known: FloatArray, forecasts: _Rows) -> None:
    answered = np.isfinite(forecasts)
    actual, volatility = known[Known.ACTUAL], known[Known.VOLATILITY]
    error = np.where(answered, actual - forecasts, 0.0)
    measured = volatility > 0
    per_unit = np.divide(1.0, volatility, out=np.zeros_like(volatility), where=measured)
    of_models[OfModel.COUNT] = answered
    of_models[OfModel.ABSOLUTE] = np.abs(error)
    of_models[OfModel.SQUARE] = error * error
    of_models[OfModel.PRICE_SHARE] = np.abs(np.expm1(-error))  # predicted over actual price, less 1
    of_models[OfModel.SCALED_COUNT] = answered & measured
    of_models[OfModel.SCALED_SQUARE] = (error * per_unit) ** 2
    of_models[OfModel.SCALED_UNCHANGED] = (actual * per_unit) ** 2 * answered


def _add_directions(of_models: FloatArray, known: FloatArray, forecasts: _Rows) -> None:
    """Add the trials: the ensemble's where it had a direction and is judged, a member's by the sign of its forecast."""
    moved = np.sign(known[Known.ACTUAL])
    said = np.sign(forecasts)
    said[0] = np.where(np.isfinite(known[Known.HIT]), known[Known.DIRECTION], 0.0)
    up, down, rose, fell = said > 0, said < 0, moved > 0, moved < 0  # NaN is neither
    trials, rightly_up = (up | down) & (moved != 0), up & rose
    of_models[OfModel.TRIALS] = trials
    of_models[OfModel.HITS] = rightly_up | (down & fell)
    of_models[OfModel.SAID_UP] = trials & up
    of_models[OfModel.WAS_UP] = trials & rose
    of_models[OfModel.RIGHTLY_UP] = rightly_up


def _add_confidences(of_models: FloatArray, known: FloatArray, confidences: _Rows) -> None:
    """Add what was said of the ensemble's direction, by whomever, at its trials."""
    hit = known[Known.HIT]
    sure = np.isfinite(confidences) & np.isfinite(hit)
    off = np.where(sure, confidences - hit, 0.0)
    of_models[OfModel.SURE] = sure
    of_models[OfModel.CONFIDENCE] = np.where(sure, confidences, 0.0)
    of_models[OfModel.BRIER] = off * off


def _add_horizon(row: FloatArray, known: FloatArray) -> None:
    actual, predicted, hit, usual = (known[field] for field in (Known.ACTUAL, Known.PREDICTED, Known.HIT, Known.USUAL))
    row[OfHorizon.FORECAST_SQUARE] = predicted * predicted
    row[OfHorizon.FORECAST_ACTUAL] = predicted * actual
    beside = np.isfinite(hit) & (usual != 0)
    row[OfHorizon.USUAL_TRIALS] = beside
    row[OfHorizon.USUAL_HITS] = beside & (usual == np.sign(actual))
    row[OfHorizon.HITS_BESIDE_USUAL] = beside & (hit == 1.0)
    for inside, column in ((Known.INSIDE_95, OfHorizon.KNOWN_95), (Known.INSIDE_99, OfHorizon.KNOWN_99)):
        row[column] = np.isfinite(known[inside])
        row[column + 1] = known[inside] == 1.0
    error = np.abs(actual - predicted)
    _add_interval_score(row[OfHorizon.WIDTHS_95 :], known[Known.HALF_95], error, 0.05)
    _add_interval_score(row[OfHorizon.WIDTHS_99 :], known[Known.HALF_99], error, 0.01)


def _add_interval_score(rows: FloatArray, half: FloatArray, error: FloatArray, share_outside: float) -> None:
    """Add width + 2 / alpha * the distance to it from outside: Gneiting and Raftery (2007), equation 43."""
    known = np.isfinite(half)
    outside = np.maximum(error - half, 0.0)
    rows[0] = known
    rows[1] = np.where(known, 2.0 * half + 2.0 / share_outside * outside, 0.0)
