"""Bars and predictions as the topics would carry them, for the checks of what is scored and what is applied."""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from feature_stream.ledger import SettleRules, TickerLedger
from feature_stream.settle import take_bar, take_prediction
from ingestor.sources.bars import BarColumns
from predictor.models.base import FloatArray
from predictor.training.audit.world import World
from predictor.training.row_events import bar_so_far, closed_bar
from schemas.events import (
    Bar,
    Direction,
    HorizonPrediction,
    MemberHorizon,
    MemberPrediction,
    Outcome,
    Prediction,
    PriceRange,
)
from schemas.identity import final_feature_id
from schemas.times import Interval

#: Of one ticker, in the order of the log: outcomes as they come out.
Settle = Callable[[Interval, Sequence[Bar], Sequence[Prediction]], list[Outcome]]

_SOURCE = "audit"
_PRIORS = {"forest": 0.4, "lstm": 0.6}
_DAILY_VOLATILITY = 0.02
_AT_95, _AT_99 = 1.96, 2.58


def settled(interval: Interval, bars: Sequence[Bar], predictions: Sequence[Prediction]) -> list[Outcome]:
    """Settle as the product does: each bar, then the prediction that was made from it."""
    longest = max(said.horizon for each in predictions for said in each.horizons)
    rules, ledger = SettleRules(interval, longest), TickerLedger(bars[0].ticker, 0)
    outcomes: list[Outcome] = []
    for offset, (bar, prediction) in enumerate(zip(bars, predictions, strict=True)):
        outcomes += take_bar(ledger, bar, offset, rules, 0).outcomes
        outcomes += take_prediction(ledger, prediction, offset, rules, 0).outcomes
    return outcomes


def bar_events(ticker: str, columns: BarColumns, interval: Interval) -> list[Bar]:
    """Give one ticker's closed bars."""
    return [
        closed_bar(ticker, interval, bar_so_far(columns, at, interval), at + 1, _SOURCE) for at in range(len(columns))
    ]


def prediction_events(bars: Sequence[Bar], horizons: Sequence[int], random: np.random.Generator) -> list[Prediction]:
    """Give a prediction from each bar; what it says is drawn, and knows nothing."""
    return [_prediction(bar, horizons, random.standard_normal((len(_PRIORS), len(horizons)))) for bar in bars]


def _prediction(bar: Bar, horizons: Sequence[int], drawn: FloatArray) -> Prediction:
    units = [_DAILY_VOLATILITY * math.sqrt(horizon) for horizon in horizons]
    returns = 0.1 * drawn * np.array(units)
    own = dict(zip(_PRIORS, returns.tolist(), strict=True))
    mixed = [sum(_PRIORS[name] * values[at] for name, values in own.items()) for at in range(len(horizons))]
    feature_id = final_feature_id(bar.ticker, bar.interval, bar.start_ns)
    return Prediction(
        id=f"{feature_id}/audit",
        feature_id=feature_id,
        ticker=bar.ticker,
        interval=bar.interval,
        as_of_ns=bar.end_ns,
        current_price=bar.close,
        bar_index=bar.bar_index,
        horizons=[
            _horizon(horizon, bar.close, value, unit)
            for horizon, value, unit in zip(horizons, mixed, units, strict=True)
        ],
        models=[_member(name, horizons, values, units) for name, values in own.items()],
        model_set="audit",
        weights_version="prior",
        intervals_version="holdout",
        provisional=False,
        in_sample=False,
        source_partition=0,
        source_offset=bar.source_offset,
        ingested_at_ns=0,
        featured_at_ns=0,
        predicted_at_ns=0,
    )


def _horizon(horizon: int, price: float, log_return: float, unit: float) -> HorizonPrediction:
    at_95, at_99 = (
        PriceRange(price * math.exp(log_return - width * unit), price * math.exp(log_return + width * unit))
        for width in (_AT_95, _AT_99)
    )
    return HorizonPrediction(
        horizon=horizon,
        target_time_ns=0,
        log_return=log_return,
        percent=100.0 * math.expm1(log_return),
        price_target=price * math.exp(log_return),
        direction=Direction.BULLISH if log_return > 0 else Direction.BEARISH,
        confidence=0.55,
        interval_95=at_95,
        interval_99=at_99,
        volatility=unit,
        usual_direction=Direction.BULLISH,
    )


def _member(name: str, horizons: Sequence[int], values: Sequence[float], units: Sequence[float]) -> MemberPrediction:
    said = [
        MemberHorizon(
            horizon=horizon,
            log_return=value,
            spread=unit,
            confidence=0.55,
            weight=_PRIORS[name],
            prior_weight=_PRIORS[name],
        )
        for horizon, value, unit in zip(horizons, values, units, strict=True)
    ]
    return MemberPrediction(name=name, version="1", horizons=said)


def last_bars_of(world: World, count: int) -> Iterator[list[Bar]]:
    """Give the last bars of each ticker that has so many."""
    for ticker, columns in world.bars.items():
        if len(columns) >= count:
            yield bar_events(ticker, columns.between(int(columns.start_ns[-count]), None), world.interval)
