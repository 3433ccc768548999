"""Accuracy on the hold-out, beside forecasts that need no skill."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from predictor.manifest import Manifest
from predictor.models.base import FloatArray
from predictor.training.dataset import Dataset
from schemas.events import Direction, HoldOutScore


def score(horizons: Sequence[int], predicted: FloatArray, actual: FloatArray) -> list[HoldOutScore]:
    """Score log returns, (n, horizons) each. Rows that did not move are left out of the hit rate.

    A forecast that is 0 everywhere has no direction, so its hit rate is None.
    """
    return [_score_one(horizon, predicted[:, at], actual[:, at]) for at, horizon in enumerate(horizons)]


def _score_one(horizon: int, predicted: FloatArray, actual: FloatArray) -> HoldOutScore:
    errors = predicted - actual
    moved = actual != 0.0
    directed = bool(moved.any()) and bool((predicted != 0.0).any())
    hits = np.sign(predicted[moved]) == np.sign(actual[moved])
    return HoldOutScore(
        horizon=horizon,
        count=len(actual),
        mean_absolute_error=float(np.mean(np.abs(errors))),
        root_mean_squared_error=float(np.sqrt(np.mean(np.square(errors)))),
        hit_rate=float(np.mean(hits)) if directed else None,
    )


def constant_direction(past: Dataset, units: FloatArray) -> FloatArray:
    """Give the forecast that goes the past's more frequent way, by the size of its mean scaled return."""
    moves = past.log_returns / past.units()
    direction = np.where(_mostly_up(past), 1.0, -1.0)
    forecast: FloatArray = direction * np.abs(moves.mean(axis=0)) * units
    return forecast


def usual_directions(samples: Dataset) -> list[Direction]:
    """Give each horizon's more frequent direction; a hit rate is held against it."""
    return [Direction.BULLISH if up else Direction.BEARISH for up in _mostly_up(samples)]


def _mostly_up(samples: Dataset) -> NDArray[np.bool_]:
    up: NDArray[np.bool_] = (samples.log_returns > 0).sum(axis=0) >= (samples.log_returns < 0).sum(axis=0)
    return up


def baselines(past: Dataset, held_out: Dataset) -> dict[str, list[HoldOutScore]]:
    """Score the forecasts without skill; they know only the past."""
    naive = {
        "no_change": np.zeros_like(held_out.log_returns),
        "constant_direction": constant_direction(past, held_out.units()),
    }
    return {name: score(held_out.horizons, predicted, held_out.log_returns) for name, predicted in naive.items()}


def score_table(manifest: Manifest) -> str:
    """Lay the hold-out's scores out for people, one line a horizon and forecaster."""
    rows = {member.name: member.hold_out for member in manifest.members}
    rows |= {"ensemble": manifest.hold_out} | manifest.baselines
    naive = {each.horizon: each for each in manifest.baselines["no_change"]}
    lines = [f"{'bars':>4}  {'forecaster':<18}  {'rows':>6}  {'MAE':>8}  {'RMSE':>8}  {'RMSE/no change':>14}  hit rate"]
    for at, horizon in enumerate(manifest.horizons):
        lines += [_line(name, scores[at], naive[horizon]) for name, scores in rows.items()]
        lines.append(f"      (a hit rate varies by ±{_chance(manifest.hold_out_dates, horizon):.1%} by chance)")
    return "\n".join(lines)


def _line(name: str, its: HoldOutScore, naive: HoldOutScore) -> str:
    ratio = its.root_mean_squared_error / naive.root_mean_squared_error
    hit_rate = "-" if its.hit_rate is None else f"{its.hit_rate:.1%}"
    errors = f"{its.mean_absolute_error:>8.5f}  {its.root_mean_squared_error:>8.5f}"
    return f"{its.horizon:>4}  {name:<18}  {its.count:>6}  {errors}  {ratio:>14.4f}  {hit_rate:>8}"


def _chance(dates: int, horizon: int) -> float:
    """Give two standard errors of a coin's hit rate: rows of a date share shocks, neighbouring horizons overlap."""
    return 1.0 / math.sqrt(max(1.0, dates / horizon))
