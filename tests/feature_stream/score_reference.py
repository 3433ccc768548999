"""Scores by pandas, scikit-learn and scipy, from a list of outcomes: slow, plain, and written on its own."""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]
from sklearn import metrics

from schemas.events import Direction, Outcome

_SIGN = {Direction.BULLISH: 1, Direction.BEARISH: -1, Direction.NEUTRAL: 0}
Scores = dict[str, Any]


def long_run_variance(values: NDArray[np.float64], lags: int) -> float:
    """Sum the weighted products of all pairs."""
    d, n = values - values.mean(), len(values)
    apart = np.abs(np.arange(n)[:, None] - np.arange(n)[None, :])
    return float((np.maximum(0.0, 1.0 - apart / (lags + 1)) * d[:, None] * d[None, :]).sum() / n)


def mean_and_error(values: NDArray[np.float64], horizon: int) -> tuple[float, float] | None:
    n = len(values)
    if n < max(200, 23 * horizon) or np.ptp(values) == 0:
        return None
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    return float(values.mean()), math.sqrt(long_run_variance(values, max(10, 2 * horizon)) / n / correction)


def _interval(values: pd.Series, horizon: int) -> tuple[float | None, float | None]:
    found = mean_and_error(values.to_numpy(np.float64), horizon)
    if found is None:
        return None, None
    half = float(stats.t.ppf(0.975, len(values) - 1)) * found[1]
    return found[0] - half, found[0] + half


def horizon_reference(outcomes: list[Outcome]) -> Scores:
    """Score outcomes of one horizon."""
    horizon = outcomes[0].horizon
    frame = pd.DataFrame(
        {
            "date": o.matured_ns,
            "actual": o.actual_log_return,
            "forecast": o.predicted_log_return,
            "confidence": o.confidence,
            "said": 0 if o.hit is None else _SIGN[o.direction],
            "hit": math.nan if o.hit is None else float(o.hit),
            "usual": 0 if o.usual_direction is None else _SIGN[o.usual_direction],
            "half_95": o.half_width_95,
            "half_99": o.half_width_99,
            "inside_95": o.inside_95,
            "inside_99": o.inside_99,
            "volatility": o.volatility,
        }
        for o in outcomes
    ).sort_values("date", kind="stable")
    squares = pd.DataFrame(
        {"date": frame.date, "ours": (frame.actual - frame.forecast) ** 2, "unchanged": frame.actual**2}
    )
    by_date = squares.groupby("date").mean()
    compared = mean_and_error((by_date.ours - by_date.unchanged).to_numpy(), horizon)
    unchanged = frame.assign(forecast=0.0, said=0, hit=math.nan)
    scores: Scores = {
        "settled_dates": frame.date.nunique(),
        "ensemble": _model(frame, horizon),
        "naive": _model(unchanged, horizon),
        "models": {name: _model(_words(outcomes, name), horizon) for name in _names(outcomes)},
        "slope": float((frame.actual * frame.forecast).sum() / (frame.forecast**2).sum()),
        "error_ratio": float(squares.ours.sum() / squares.unchanged.sum()),
        "error_p_value": compared and float(2 * stats.t.sf(abs(compared[0] / compared[1]), frame.date.nunique() - 1)),
    }
    return scores | _usual(frame, horizon) | _intervals(frame, 0.05, "95") | _intervals(frame, 0.01, "99")


def _names(outcomes: list[Outcome]) -> list[str]:
    return sorted({name for one in outcomes for name in one.models})


def _words(outcomes: list[Outcome], name: str) -> pd.DataFrame:
    """Give a member's own forecasts, beside the ensemble's verdict."""
    return pd.DataFrame(
        {
            "date": o.matured_ns,
            "actual": o.actual_log_return,
            "forecast": o.models[name].log_return,
            "confidence": o.models[name].confidence,
            "said": np.sign(o.models[name].log_return) if o.actual_log_return != 0 else 0,
            "hit": math.nan if o.hit is None else float(o.hit),
            "volatility": o.volatility,
        }
        for o in outcomes
        if name in o.models
    )


def _model(frame: pd.DataFrame, horizon: int) -> Scores:
    trials = frame[frame.said != 0]
    shares = (trials.said == np.sign(trials.actual)).groupby(trials.date).mean()
    low, high = _interval(shares, horizon)
    up, said_up = trials.actual > 0, trials.said > 0
    by_class: Any = (math.nan, math.nan, math.nan)
    if len(trials):
        by_class = metrics.precision_recall_fscore_support(up, said_up, average="binary", zero_division=np.nan)
    sure = frame[frame.hit.notna()]
    scaled = frame[frame.volatility > 0]
    standard = (scaled.actual - scaled.forecast) / (scaled.volatility * math.sqrt(horizon))
    return {
        "count": len(frame),
        "mean_absolute_error": metrics.mean_absolute_error(frame.actual, frame.forecast),
        "root_mean_squared_error": metrics.root_mean_squared_error(frame.actual, frame.forecast),
        "mean_absolute_percentage_error": 100
        * metrics.mean_absolute_percentage_error(np.exp(frame.actual), np.exp(frame.forecast)),
        "scaled_mean_squared_error": float((standard**2).mean()) if len(scaled) else None,
        "trials": len(trials),
        "hit_rate": float(shares.mean()) if len(trials) else None,
        "hit_rate_low": low,
        "hit_rate_high": high,
        "precision": _known(by_class[0]) if said_up.any() else None,
        "recall": _known(by_class[1]) if up.any() else None,
        "f1": _known(by_class[2]) if up.any() or said_up.any() else None,
        "mean_confidence": float(sure.confidence.mean()) if _has_word(frame, sure) else None,
        "brier_score": float(((sure.confidence - sure.hit) ** 2).mean()) if _has_word(frame, sure) else None,
    }


def _has_word(frame: pd.DataFrame, sure: pd.DataFrame) -> bool:
    return len(sure) > 0 and bool((frame.forecast != 0).any())


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _usual(frame: pd.DataFrame, horizon: int) -> Scores:
    trials = frame[frame.hit.notna() & (frame.usual != 0)]
    usual = (trials.usual == np.sign(trials.actual)).astype(float).groupby(trials.date).mean()
    difference = trials.hit.groupby(trials.date).mean() - usual
    low, high = _interval(difference, horizon)
    return {
        "usual_hit_rate": float(usual.mean()) if len(trials) else None,
        "hit_rate_difference": float(difference.mean()) if len(trials) else None,
        "hit_rate_difference_low": low,
        "hit_rate_difference_high": high,
    }


def _intervals(frame: pd.DataFrame, alpha: float, level: str) -> Scores:
    known = frame[frame[f"half_{level}"].notna()]
    if not len(known):
        return {f"coverage_{level}": None, f"interval_score_{level}": None}
    half = known[f"half_{level}"].astype(float)
    low, high, x = known.forecast - half, known.forecast + half, known.actual
    score = (high - low) + 2 / alpha * (low - x) * (x < low) + 2 / alpha * (x - high) * (x > high)
    return {
        f"coverage_{level}": float(known[f"inside_{level}"].astype(float).mean()),
        f"interval_score_{level}": float(score.mean()),
    }


def last_of_ticker(outcomes: list[Outcome], ticker: str, horizon: int, count: int) -> list[Outcome]:
    mine = [o for o in outcomes if o.scored and (o.ticker, o.horizon) == (ticker, horizon)]
    return sorted(mine, key=lambda o: o.start_ns)[-count:]


def last_of_dates(outcomes: list[Outcome], horizon: int, count: int) -> list[Outcome]:
    those = [o for o in outcomes if o.scored and o.horizon == horizon]
    dates = sorted({o.matured_ns for o in those})[-count:]
    return [o for o in those if o.matured_ns >= dates[0]]
