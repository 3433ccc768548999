"""Forecasts from the caller's own prices."""

from msgspec import Struct

from schemas.events.predictions import HorizonPrediction, MemberPrediction
from schemas.times import Interval


class PriceBar(Struct, frozen=True, kw_only=True):
    """One bar of the caller's."""

    start_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0


class ForecastRequest(Struct, frozen=True, kw_only=True):
    """Ask for a forecast from one's own bars, or closing prices alone, oldest first.

    Attributes:
        bars: Their closes are what is used; empty where `closes` are given.
        closes: Instead of bars.
    """

    id: str
    interval: Interval
    bars: list[PriceBar]
    requested_at_ns: int
    ticker: str | None = None
    closes: list[float] = []


class Forecast(Struct, frozen=True, kw_only=True):
    """The answer to a request: horizons, or an error that names the field and the fix.

    Attributes:
        arima_order: p, d and q of the model that answered; null where none did.
        ticker: As in the request. Where it is one that is played, what became of the forecast is in `outcomes`.
        interval: As in the request.
        as_of_ns: End of the bar that the last close is taken for: what `target_time_ns` is counted from.
        from_price: The last close.
        in_sample: `as_of_ns` is not after the `train_end` of the set that answered.
    """

    id: str
    request_id: str
    horizons: list[HorizonPrediction]
    models: list[MemberPrediction]
    model_set: str
    answered_at_ns: int
    degraded: str | None = None
    error: str | None = None
    arima_order: list[int] | None = None
    ticker: str | None = None
    interval: Interval | None = None
    as_of_ns: int | None = None
    from_price: float | None = None
    in_sample: bool = False
