"""Requests, and a set with a real ARIMA."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import structs

from predictor.artifacts import LoadedMember, ModelSet
from predictor.manifest import Calibration
from predictor.models.arima import ArimaCoefficients, ArimaForecaster
from schemas.events import Direction, ForecastRequest, PriceBar
from schemas.times import from_rfc3339, interval_ns
from tests.predictor.forecasters import HORIZONS, Momentum, a_set

DAY_NS = interval_ns("1d")
TUESDAY_NOON_NS = from_rfc3339("2010-01-05T12:00:00Z")
COEFFICIENTS = ArimaCoefficients(ar=[0.3, -0.1], ma=[0.2], mean=0.03)
SPREAD_SCALES = (1.2, 1.1, 1.05)


def closes(count: int, seed: int = 1, price: float = 100.0) -> list[float]:
    """Give a random walk of prices."""
    steps = 0.02 * np.random.default_rng(seed).standard_normal(count)
    given: list[float] = (price * np.exp(np.cumsum(steps))).tolist()
    return given


def request(prices: Sequence[float] = (), **fields: Any) -> ForecastRequest:
    """Give a request of daily closes."""
    given: dict[str, Any] = {
        "id": "r-1",
        "interval": "1d",
        "bars": [],
        "closes": list(prices),
        "requested_at_ns": TUESDAY_NOON_NS,
    }
    return ForecastRequest(**(given | fields))


def bars_of(prices: Sequence[float], first_ns: int = from_rfc3339("2010-01-04")) -> list[PriceBar]:
    """Give daily bars with these closes."""
    return [
        PriceBar(start_ns=first_ns + at * DAY_NS, open=price, high=price, low=price, close=price)
        for at, price in enumerate(prices)
    ]


def arima_set(
    horizons: Sequence[int] = HORIZONS, coefficients: ArimaCoefficients = COEFFICIENTS, *, intercept: float = 0.4
) -> ModelSet:
    """Give a set of a pair and an ARIMA of weight 0."""
    forecaster = ArimaForecaster(msgspec.json.encode(coefficients), horizons, SPREAD_SCALES[: len(horizons)], "a1")
    calibration = tuple(Calibration(horizon=horizon, intercept=intercept, slope=1.0) for horizon in horizons)
    pair = a_set([Momentum("forest", 0.5), Momentum("lstm", -0.2)], [0.4, 0.6], name="set-arima")
    entry = structs.replace(pair.manifest.members[0], name="arima", version="a1", prior_weight=0.0)
    manifest = structs.replace(
        pair.manifest,
        horizons=list(horizons),
        usual_directions=[Direction.BULLISH] * len(horizons),
        members=[*pair.manifest.members, entry],
    )
    members = (*pair.members, LoadedMember(forecaster, 0.0, calibration))
    return ModelSet(manifest, pair.folder, members, {})
