"""Forecasts from a caller's own prices, made by hand."""

from typing import Any

from schemas.events import Direction, Forecast, MemberHorizon, MemberPrediction
from tests.feature_stream.settling import end_of, horizon, price_of


def forecast(bar_index: int, ticker: str | None = "A", request: str = "r", **changes: Any) -> Forecast:
    """Make a forecast that began from a bar, by a caller who has the very closes of the log."""
    price = changes.get("from_price", price_of(bar_index, ticker or "A"))
    own = MemberHorizon(horizon=1, log_return=0.01, spread=0.02, confidence=0.6, weight=1.0, prior_weight=1.0)
    named: dict[str, Any] = {
        "id": f"{request}/set-a/arima",
        "request_id": request,
        "horizons": [horizon(1, 0.01, direction=Direction.BULLISH, price=price)],
        "models": [MemberPrediction(name="arima", version="1", horizons=[own])],
        "model_set": "set-a",
        "answered_at_ns": 0,
        "arima_order": [0, 0, 0],
        "ticker": ticker,
        "interval": "1m",
        "as_of_ns": end_of(bar_index),
        "from_price": price,
    }
    return Forecast(**(named | changes))
