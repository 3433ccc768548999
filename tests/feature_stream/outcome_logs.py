"""Outcomes made by hand and by chance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas.events import Direction, MemberHorizon, Outcome
from schemas.identity import outcome_id
from tests.feature_stream.runs import MIDNIGHT, SECOND

DAY = 86_400 * SECOND
#: Name and prior weight.
MEMBERS = {"forest": 0.4, "lstm": 0.6, "arima": 0.0}


def outcome(ticker: str = "A", bar: int = 0, horizon: int = 1, **fields: Any) -> Outcome:
    """Give an outcome of the prediction that knew `bar` last; bars are days, counted from 0."""
    start_ns = MIDNIGHT + bar * DAY
    given: dict[str, Any] = {
        "id": outcome_id(ticker, "1d", start_ns, horizon),
        "prediction_id": f"{ticker}-{bar}",
        "ticker": ticker,
        "interval": "1d",
        "start_ns": start_ns,
        "bar_index": bar + 1,
        "horizon": horizon,
        "as_of_ns": start_ns + DAY,
        "matured_ns": start_ns + (1 + horizon) * DAY,
        "model_set": "set-1",
        "predicted_log_return": 0.001,
        "actual_log_return": 0.02,
        "direction": Direction.BULLISH,
        "confidence": 0.55,
        "hit": True,
        "inside_95": True,
        "inside_99": True,
        "volatility": 0.02,
        "models": {"forest": member(horizon, 0.001), "lstm": member(horizon, 0.001, "lstm")},
        "weights_version": "prior",
        "intervals_version": "holdout",
        "source_partition": 0,
        "source_offset": bar + horizon,
        "settled_at_ns": 1,
        "start_price": 100.0,
        "half_width_95": 0.04,
        "half_width_99": 0.06,
        "usual_direction": Direction.BULLISH,
    }
    return Outcome(**(given | fields))


def member(horizon: int, log_return: float, name: str = "forest", confidence: float = 0.55) -> MemberHorizon:
    return MemberHorizon(
        horizon=horizon,
        log_return=log_return,
        spread=0.02,
        confidence=confidence,
        weight=0.5,
        prior_weight=MEMBERS[name],
    )


@dataclass(frozen=True)
class Market:
    """What a log of outcomes is drawn from.

    Attributes:
        skill: Share of the coming return that the forecasts know.
        gaps: Share of outcomes that are missing.
        silent: Share of a member's answers that are missing, and of intervals.
        beside: Share of outcomes that know what another set said: `set-2`, which 20 bars later is `set-3`. Of the last
            ticker it is the other way round: those have answered, and `set-1` is beside.
    """

    tickers: Sequence[str] = ("A", "B", "C")
    bars: int = 40
    horizons: Sequence[int] = (1, 5, 21)
    seed: int = 0
    skill: float = 0.02
    gaps: float = 0.0
    silent: float = 0.0
    at_rest: float = 0.0
    beside: float = 0.0


def outcomes_of(market: Market) -> Iterator[Outcome]:
    """Give outcomes in the order in which they mature."""
    rng = np.random.default_rng(market.seed)
    days = market.bars + max(market.horizons)
    shared = rng.standard_t(5, days)
    for partition, ticker in enumerate(market.tickers):
        returns = 0.01 * (0.6 * shared + 0.8 * rng.standard_t(5, days)) + 0.0003
        for horizon in market.horizons:
            for bar in range(market.bars):
                if rng.random() >= market.gaps:
                    moved = 0.0 if rng.random() < market.at_rest else float(returns[bar : bar + horizon].sum())
                    yield _drawn(rng, market, ticker, bar, horizon, moved, partition % 2)


def _beside(
    rng: np.random.Generator, market: Market, ticker: str, bar: int, horizon: int, moved: float
) -> dict[str, Any]:
    challenger, served = f"set-{2 + bar // 20 % 2}", "set-1"
    if ticker == market.tickers[-1]:
        served, challenger = challenger, served
    if rng.random() >= market.beside:
        return {"model_set": served}
    said = market.skill * moved + 0.002 * horizon**0.5 * float(rng.standard_normal())
    words = {name: member(horizon, said, "forest", rng.uniform(0.45, 0.6)) for name in ("ensemble", "forest")}
    return {"model_set": served, "shadow": words, "shadow_model_set": challenger}


def _drawn(
    rng: np.random.Generator, market: Market, ticker: str, bar: int, horizon: int, moved: float, partition: int
) -> Outcome:
    scale = 0.002 * horizon**0.5
    words = {
        name: member(horizon, market.skill * moved + scale * float(rng.standard_normal()), name, rng.uniform(0.45, 0.6))
        for name in MEMBERS
        if name == "forest" or rng.random() >= market.silent
    }
    predicted = float(np.mean([word.log_return for word in words.values()]))
    confidence = float(rng.uniform(0.48, 0.6))
    direction = Direction.BULLISH if predicted > 0 else Direction.BEARISH
    if confidence <= 0.5:
        direction = Direction.NEUTRAL
    volatility = 0.0 if rng.random() < market.silent / 4 else float(rng.uniform(0.008, 0.03))
    halves = None if rng.random() < market.silent else 1.96 * 0.015 * horizon**0.5
    error = abs(moved - predicted)
    return outcome(
        ticker,
        bar,
        horizon,
        **(_beside(rng, market, ticker, bar, horizon, moved) if market.beside else {}),
        actual_log_return=moved,
        predicted_log_return=predicted,
        confidence=confidence,
        direction=direction,
        hit=None if direction is Direction.NEUTRAL or moved == 0 else (moved > 0) == (direction is Direction.BULLISH),
        volatility=volatility,
        models=words,
        half_width_95=halves,
        half_width_99=None if halves is None else 1.4 * halves,
        inside_95=None if halves is None else error <= halves,
        inside_99=None if halves is None else error <= 1.4 * halves,
        usual_direction=None if rng.random() < market.silent else Direction.BULLISH,
        source_partition=partition,
    )
