"""The public form of a prediction: what REST, the WebSocket and the page show. No nanoseconds, no large integers."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas.events import Direction, MemberPrediction, Origin, PriceRange, Signal
from schemas.times import Interval

#: JavaScript reads integers exactly up to here.
LARGEST_INTEGER = 2**53 - 1

Integer = Annotated[int, Meta(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
_RFC_3339_IN_UTC = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"
Time = Annotated[
    str, Meta(description="RFC 3339, UTC.", pattern=_RFC_3339_IN_UTC, extra_json_schema={"format": "date-time"})
]


class PublicHorizon(Struct, frozen=True, kw_only=True):
    """The ensemble's prediction for one horizon.

    Attributes:
        horizon: In bars after the last closed one.
        target_time: Estimated from the interval and the days on which the ticker trades.
        confidence: Probability that the direction is right, the smallest of the members', as of the last close; 0.5
            once the price has reached the target.
        log_return: From the current price to the target.
        percent: The same as a simple percentage.
        interval_95: Null where no spread is known.
        signal: BUY or SELL where the log return passes a share of `volatility` and there is a direction, else HOLD.
        volatility: Standard deviation of the log return over the horizon; null where unknown.
        loss_95_percent: Simple percentage of the current price, at least 0: in 95 of 100 cases no more is lost.
        usual_direction: The more frequent one before the models' `train_end`: what a hit rate is held against.
    """

    horizon: Integer
    target_time: Time
    price_target: float
    confidence: float
    direction: Direction
    log_return: float
    percent: float
    interval_95: PriceRange | None
    interval_99: PriceRange | None
    signal: Signal | None = None
    volatility: float | None = None
    loss_95_percent: float | None = None
    usual_direction: Direction | None = None


class PublicBar(Struct, frozen=True, kw_only=True):
    """The bar so far."""

    start: Time
    end: Time
    open: float
    high: float
    low: float
    close: float
    volume: float
    tick_count: Integer


class PastBar(Struct, frozen=True, kw_only=True):
    """A closed bar, `[start, end)`.

    Attributes:
        bar_index: Closed bars of the ticker so far, this one included.
        partial: Ticks were lost while it was open.
    """

    start: Time
    end: Time
    open: float
    high: float
    low: float
    close: float
    volume: float
    tick_count: Integer
    bar_index: Integer
    partial: bool
    origin: Origin


class PastBars(Struct, frozen=True, kw_only=True):
    """Oldest first.

    Attributes:
        complete: All that was asked for is here; else older bars are left out.
        forming: The bar so far; null where none is open.
    """

    ticker: str
    interval: Interval
    complete: bool
    bars: list[PastBar]
    forming: PublicBar | None


class PublicPrediction(Struct, frozen=True, kw_only=True):
    """The latest prediction of a ticker; not investment advice.

    Attributes:
        prediction: That of the shortest horizon.
        timestamp: Event time, in UTC.
        updated_at: Wall time, in UTC.
        degraded: Why the full ensemble did not answer, or `kafka: …` or `source: …` where nothing newer comes; or null.
        shadow: A challenger's members, shown and not counted.
    """

    ticker: str
    current_price: float
    prediction: PublicHorizon
    timestamp: Time
    updated_at: Time
    id: str
    feature_id: str
    interval: Interval
    bar_index: Integer
    provisional: bool
    in_sample: bool
    degraded: str | None
    partial: bool
    origin: Origin
    horizons: list[PublicHorizon]
    models: list[MemberPrediction]
    shadow: list[MemberPrediction] | None
    bar: PublicBar | None
    model_set: str
    weights_version: str
    intervals_version: str
    source_partition: Integer
    source_offset: Integer
    ingested_at: Time
    featured_at: Time
    predicted_at: Time


class PublicPredictions(Struct, frozen=True, kw_only=True):
    """The latest predictions of all tickers, or of those that were asked for.

    Attributes:
        count: Of the predictions in this answer.
        next_cursor: Where more wait: ask again with this `cursor`.
        age_seconds: Only while Kafka cannot be reached: how long nothing was heard of it. Or while the source is in
            trouble: since when there is no newer prediction.
    """

    count: Integer
    predictions: list[PublicPrediction]
    next_cursor: str | UnsetType = UNSET
    age_seconds: float | UnsetType = UNSET
