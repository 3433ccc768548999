"""A prediction as people see it: the JSON of REST and WebSocket."""

import msgspec

from schemas.codec import UndecodableError
from schemas.events import BarSoFar, HorizonPrediction, MemberPrediction, Prediction
from schemas.public import LARGEST_INTEGER, PublicBar, PublicHorizon, PublicPrediction
from schemas.symbols import is_ticker
from schemas.times import to_rfc3339


def time_text(time_ns: int) -> str:
    """Write a time for the edge.

    Raises:
        UndecodableError: It lies outside of the years that RFC 3339 has.
    """
    try:
        return to_rfc3339(time_ns)
    except (ValueError, OverflowError, OSError) as error:
        raise UndecodableError(f"{time_ns} is not a time in nanoseconds since 1970") from error


def safe_integer(value: int, field: str) -> int:
    """Give the integer back.

    Raises:
        UndecodableError: JavaScript could not read it exactly.
    """
    if abs(value) > LARGEST_INTEGER:
        raise UndecodableError(f"{field} is {value}: integers must be below 2^53")
    return value


def _horizon(horizon: HorizonPrediction) -> PublicHorizon:
    return PublicHorizon(
        horizon=safe_integer(horizon.horizon, "horizon"),
        target_time=time_text(horizon.target_time_ns),
        price_target=horizon.price_target,
        confidence=horizon.confidence,
        direction=horizon.direction,
        log_return=horizon.log_return,
        percent=horizon.percent,
        interval_95=horizon.interval_95,
        interval_99=horizon.interval_99,
        signal=horizon.signal,
        volatility=horizon.volatility,
        loss_95_percent=horizon.loss_95_percent,
        usual_direction=horizon.usual_direction,
    )


def _bar(bar: BarSoFar) -> PublicBar:
    return PublicBar(
        start=time_text(bar.start_ns),
        end=time_text(bar.end_ns),
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        tick_count=safe_integer(bar.tick_count, "tick_count"),
    )


def _checked(prediction: Prediction) -> Prediction:
    if not is_ticker(prediction.ticker):
        raise UndecodableError(f"Prediction: ticker {prediction.ticker[:32]!r} is not a symbol")
    if not prediction.horizons:
        raise UndecodableError("Prediction: horizons is empty")
    return prediction


def _members(members: list[MemberPrediction]) -> list[MemberPrediction]:
    for member in members:
        for horizon in member.horizons:
            safe_integer(horizon.horizon, "horizon")
    return members


def public_form(prediction: Prediction) -> PublicPrediction:
    """Give the public form of a prediction.

    Raises:
        UndecodableError: A value cannot be said at the edge.
    """
    horizons = [_horizon(horizon) for horizon in sorted(_checked(prediction).horizons, key=lambda h: h.horizon)]
    return PublicPrediction(
        ticker=prediction.ticker,
        current_price=prediction.current_price,
        prediction=horizons[0],
        timestamp=time_text(prediction.as_of_ns),
        updated_at=time_text(prediction.predicted_at_ns),
        id=prediction.id,
        feature_id=prediction.feature_id,
        interval=prediction.interval,
        bar_index=safe_integer(prediction.bar_index, "bar_index"),
        provisional=prediction.provisional,
        in_sample=prediction.in_sample,
        degraded=prediction.degraded,
        partial=prediction.partial,
        origin=prediction.origin,
        horizons=horizons,
        models=_members(prediction.models),
        shadow=None if prediction.shadow is None else _members(prediction.shadow),
        bar=None if prediction.bar is None else _bar(prediction.bar),
        model_set=prediction.model_set,
        weights_version=prediction.weights_version,
        intervals_version=prediction.intervals_version,
        source_partition=safe_integer(prediction.source_partition, "source_partition"),
        source_offset=safe_integer(prediction.source_offset, "source_offset"),
        ingested_at=time_text(prediction.ingested_at_ns),
        featured_at=time_text(prediction.featured_at_ns),
        predicted_at=time_text(prediction.predicted_at_ns),
    )


def present(prediction: Prediction) -> bytes:
    """Give the public form of a prediction as JSON.

    Raises:
        UndecodableError: A value cannot be said at the edge.
    """
    return msgspec.json.encode(public_form(prediction))
