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
    """Ask for a forecast from one's own bars, oldest first."""

    id: str
    interval: Interval
    bars: list[PriceBar]
    requested_at_ns: int
    ticker: str | None = None


class Forecast(Struct, frozen=True, kw_only=True):
    """The answer to a request: horizons, or an error that names the field and the fix."""

    id: str
    request_id: str
    horizons: list[HorizonPrediction]
    models: list[MemberPrediction]
    model_set: str
    answered_at_ns: int
    degraded: str | None = None
    error: str | None = None
