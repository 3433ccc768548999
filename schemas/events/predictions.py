"""What the predictor says, and what became of it."""

from enum import StrEnum

from msgspec import Struct

from schemas.events.bars import BarSoFar
from schemas.events.ticks import Origin
from schemas.times import Interval

#: The name of a whole set's forecast among its members', in `Prediction.shadow` and `Outcome.shadow`.
ENSEMBLE = "ensemble"


class Direction(StrEnum):
    """Where the price is expected to go; neutral where confidence is 0.5 or below."""

    BULLISH = "bullish"
    BEARISH = "bearish"
    NEUTRAL = "neutral"


class Signal(StrEnum):
    """What a follower would do: where the predicted return passes a share of the horizon's volatility."""

    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"


class PriceRange(Struct, frozen=True):
    """An interval of prices, marginal for its horizon."""

    low: float
    high: float


class HorizonPrediction(Struct, frozen=True, kw_only=True):
    """The ensemble's prediction for one horizon.

    Attributes:
        horizon: In bars after the last closed one.
        target_time_ns: Estimated from the interval and the days on which the ticker trades.
        log_return: From the current price to the target.
        percent: The same as a simple percentage.
        confidence: Probability that the direction is right, the smallest of the members', as of the last close; 0.5
            once the price has reached the target.
        interval_95: Null where no spread is known.
        volatility: Standard deviation of the log return over the horizon, volatility of a bar times sqrt(horizon).
        loss_95_percent: Simple percentage of the current price, at least 0: in 95 of 100 cases no more is lost.
        usual_direction: The more frequent one before the models' `train_end`: what a hit rate is held against.
    """

    horizon: int
    target_time_ns: int
    log_return: float
    percent: float
    price_target: float
    direction: Direction
    confidence: float
    interval_95: PriceRange | None = None
    interval_99: PriceRange | None = None
    signal: Signal | None = None
    volatility: float | None = None
    loss_95_percent: float | None = None
    usual_direction: Direction | None = None


#: `Prediction.degraded` where the whole ensemble answered, and its set is older than it should be: nothing is missing.
OLD_MODELS = "stale: retrain_recommended"


class MemberHorizon(Struct, frozen=True, kw_only=True):
    """One model's own prediction for one horizon.

    Attributes:
        spread: Scale of its error in log return; null where unknown.
        weight: Its share of the ensemble's forecast.
        prior_weight: Its share before any score had come in; 0: shown and scored, and never weighed.
    """

    horizon: int
    log_return: float
    spread: float | None
    confidence: float
    weight: float
    prior_weight: float | None = None


class MemberPrediction(Struct, frozen=True, kw_only=True):
    """One model's own prediction; a weight of 0 is shown and does not count."""

    name: str
    version: str
    horizons: list[MemberHorizon]


class Prediction(Struct, frozen=True, kw_only=True):
    """The ensemble's prediction for one ticker.

    Attributes:
        as_of_ns: As in the feature event.
        in_sample: As of a time that training has seen; never scored.
        degraded: Why the full ensemble did not answer, or null.
        weights_version: Of the scoreboard's weights; "prior" before there is one.
        intervals_version: Likewise of the interval quantiles.
        shadow: The set beside the one that answered: its ensemble, named `ensemble`, then its members; not counted.
        shadow_model_set: That set's name. It is the challenger, or on the challenger's share of the tickers the other.
    """

    id: str
    feature_id: str
    ticker: str
    interval: Interval
    as_of_ns: int
    current_price: float
    bar_index: int
    horizons: list[HorizonPrediction]
    models: list[MemberPrediction]
    model_set: str
    weights_version: str
    intervals_version: str
    provisional: bool
    in_sample: bool
    source_partition: int
    source_offset: int
    ingested_at_ns: int
    featured_at_ns: int
    predicted_at_ns: int
    degraded: str | None = None
    bar: BarSoFar | None = None
    partial: bool = False
    shadow: list[MemberPrediction] | None = None
    origin: Origin = Origin.NORMAL
    shadow_model_set: str | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """A matured final prediction, for one horizon, beside what happened.

    Attributes:
        start_ns: Of the last bar that the prediction knew.
        bar_index: Closed bars of the ticker when it was made, that bar included.
        matured_ns: Close of the bar that the horizon ends with.
        hit: Null where the direction was neutral or the price did not move.
        volatility: Of a bar, as the prediction knew it; 0 where it said none.
        inside_95: The price was within the interval that was said; null where none was.
        scored: It counts in the scores.
        unscored_reason: Why it does not, like `in_sample`, `partial`, `warm_up`, `repeat`; null where it does.
        start_price: The close that the prediction started from; where shares were split since, on the scale after it.
        half_width_95: Of the interval that was said, in log return; null where none was.
        usual_direction: As in the prediction.
        shadow: What the set beside it said, by name: `ensemble`, and its members.
        shadow_model_set: That set's name; null where there was none.
        request_id: Of the forecast from a caller's own prices that this is the outcome of (`prediction_id` is that
            forecast's): no part of the scores of the served predictions. Null for those.
    """

    id: str
    prediction_id: str
    ticker: str
    interval: Interval
    start_ns: int
    bar_index: int
    horizon: int
    as_of_ns: int
    matured_ns: int
    model_set: str
    predicted_log_return: float
    actual_log_return: float
    direction: Direction
    confidence: float
    hit: bool | None
    inside_95: bool | None
    inside_99: bool | None
    volatility: float
    models: dict[str, MemberHorizon]
    weights_version: str
    intervals_version: str
    source_partition: int
    source_offset: int
    settled_at_ns: int
    scored: bool = True
    origin: Origin = Origin.NORMAL
    unscored_reason: str | None = None
    start_price: float | None = None
    half_width_95: float | None = None
    half_width_99: float | None = None
    usual_direction: Direction | None = None
    shadow: dict[str, MemberHorizon] = {}
    shadow_model_set: str | None = None
    request_id: str | None = None
