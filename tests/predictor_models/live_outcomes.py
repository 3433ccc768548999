"""Outcomes as they would have come of bars: what a set said live, beside what happened."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ingestor.sources.bars import BarColumns
from schemas.events import Direction, MemberHorizon, Outcome
from schemas.identity import outcome_id
from tests.predictor_models.examples import DAY_NS, HORIZONS

#: What a set says, of the actual return and the horizon.
Says = Callable[[float, int], float]


def outcome(ticker: str = "AAA", day: int = 700, horizon: int = 1, **changes: Any) -> Outcome:
    """Give what became of the prediction as of a day's end."""
    named: dict[str, Any] = {
        "id": outcome_id(ticker, "1d", (day - 1) * DAY_NS, horizon),
        "prediction_id": f"{ticker}/{day}",
        "ticker": ticker,
        "interval": "1d",
        "start_ns": (day - 1) * DAY_NS,
        "bar_index": day,
        "horizon": horizon,
        "as_of_ns": day * DAY_NS,
        "matured_ns": (day + horizon) * DAY_NS,
        "model_set": "set-old",
        "predicted_log_return": 0.0,
        "actual_log_return": 0.01,
        "direction": Direction.NEUTRAL,
        "confidence": 0.5,
        "hit": None,
        "inside_95": None,
        "inside_99": None,
        "volatility": 0.02,
        "models": {},
        "weights_version": "prior",
        "intervals_version": "holdout",
        "source_partition": 0,
        "source_offset": day,
        "settled_at_ns": 0,
    }
    return Outcome(**(named | changes))


def said(log_return: float, horizon: int = 1) -> MemberHorizon:
    """Give one forecast."""
    return MemberHorizon(horizon=horizon, log_return=log_return, spread=0.02, confidence=0.5, weight=1.0)


def shadow(name: str, log_return: float, horizon: int = 1) -> dict[str, Any]:
    """Give the fields of an outcome that another set was shown beside."""
    return {"shadow_model_set": name, "shadow": {"ensemble": said(log_return, horizon)}}


def live_outcomes(bars: Mapping[str, BarColumns], first_day: int, says: Says, **changes: Any) -> list[Outcome]:
    """Give all outcomes of predictions as of days from the first one on, as far as the (daily) bars go."""
    made = []
    for ticker, columns in bars.items():
        closes = dict(zip((columns.start_ns // DAY_NS + 1).tolist(), np.log(columns.close).tolist(), strict=True))
        for day in (each for each in closes if each >= first_day):
            for horizon in (each for each in HORIZONS if day + each in closes):
                actual = closes[day + horizon] - closes[day]
                its = {"actual_log_return": actual, "predicted_log_return": says(actual, horizon)}
                made.append(outcome(ticker, day, horizon, **(its | changes)))
    return made
