"""A prediction as people see it: the JSON of REST and WebSocket."""

from typing import Any

import msgspec

from schemas.codec import UndecodableError
from schemas.events import BarSoFar, HorizonPrediction, MemberPrediction, Prediction
from schemas.symbols import is_ticker
from schemas.times import to_rfc3339

#: JavaScript reads integers exactly up to here.
LARGEST_INTEGER = 2**53 - 1


def time_text(time_ns: int) -> str:
    """Write a time for the edge.

    Raises:
        UndecodableError: It lies outside of the years that RFC 3339 has.
    """
    try:
        return to_rfc3339(time_ns)
    except (ValueError, OverflowError, OSError) as error:
        raise UndecodableError(f"{time_ns} is no time in nanoseconds since 1970") from error


def safe_integer(value: int, field: str) -> int:
    """Give the integer back.

    Raises:
        UndecodableError: JavaScript could not read it exactly.
    """
    if abs(value) > LARGEST_INTEGER:
        raise UndecodableError(f"{field} is {value}: integers must be below 2^53")
    return value


def _horizon(horizon: HorizonPrediction) -> dict[str, Any]:
    return {
        "horizon": safe_integer(horizon.horizon, "horizon"),
        "target_time": time_text(horizon.target_time_ns),
        "price_target": horizon.price_target,
        "confidence": horizon.confidence,
        "direction": horizon.direction,
        "log_return": horizon.log_return,
        "percent": horizon.percent,
        "interval_95": horizon.interval_95,
        "interval_99": horizon.interval_99,
    }


def _bar(bar: BarSoFar) -> dict[str, Any]:
    return {
        "start": time_text(bar.start_ns),
        "end": time_text(bar.end_ns),
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "volume": bar.volume,
        "tick_count": safe_integer(bar.tick_count, "tick_count"),
    }


def _checked(prediction: Prediction) -> Prediction:
    if not is_ticker(prediction.ticker):
        raise UndecodableError(f"Prediction: ticker {prediction.ticker[:32]!r} is not a symbol")
    if not prediction.horizons:
        raise UndecodableError("Prediction: horizons is empty")
    return prediction


def _members(members: list[MemberPrediction] | None) -> list[MemberPrediction] | None:
    for member in members or ():
        for horizon in member.horizons:
            safe_integer(horizon.horizon, "horizon")
    return members


def _origins(prediction: Prediction) -> dict[str, Any]:
    """Give where a prediction comes from, and when."""
    return {
        "model_set": prediction.model_set,
        "weights_version": prediction.weights_version,
        "intervals_version": prediction.intervals_version,
        "source_partition": safe_integer(prediction.source_partition, "source_partition"),
        "source_offset": safe_integer(prediction.source_offset, "source_offset"),
        "ingested_at": time_text(prediction.ingested_at_ns),
        "featured_at": time_text(prediction.featured_at_ns),
        "predicted_at": time_text(prediction.predicted_at_ns),
    }


def document(prediction: Prediction) -> dict[str, Any]:
    """Give the public form of a prediction, `ticker` first.

    Raises:
        UndecodableError: A value cannot be said at the edge.
    """
    horizons = [_horizon(horizon) for horizon in sorted(_checked(prediction).horizons, key=lambda h: h.horizon)]
    return {
        "ticker": prediction.ticker,
        "current_price": prediction.current_price,
        "prediction": horizons[0],
        "timestamp": time_text(prediction.as_of_ns),
        "updated_at": time_text(prediction.predicted_at_ns),
        "id": prediction.id,
        "feature_id": prediction.feature_id,
        "interval": prediction.interval,
        "bar_index": safe_integer(prediction.bar_index, "bar_index"),
        "provisional": prediction.provisional,
        "in_sample": prediction.in_sample,
        "degraded": prediction.degraded,
        "partial": prediction.partial,
        "origin": prediction.origin,
        "horizons": horizons,
        "models": _members(prediction.models),
        "shadow": _members(prediction.shadow),
        "bar": None if prediction.bar is None else _bar(prediction.bar),
        **_origins(prediction),
    }


def present(prediction: Prediction) -> bytes:
    """Give the public form of a prediction as JSON.

    Raises:
        UndecodableError: A value cannot be said at the edge.
    """
    return msgspec.json.encode(document(prediction))
