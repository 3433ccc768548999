"""Feature events as the feature stage would send them."""

import math
from typing import Any

import numpy as np
from msgspec import structs

from schemas.events import BarSoFar, Features
from schemas.features import FEATURE_VERSION, MODEL_INPUT_NAMES, RETURNS_COUNT, SEQUENCE_CHANNELS, SEQUENCE_STEPS
from schemas.identity import final_feature_id, provisional_feature_id
from schemas.times import from_rfc3339, interval_ns

DAY_NS = interval_ns("1d")
MONDAY_NS = from_rfc3339("2010-01-04T00:00:00Z")


def final(ticker: str = "AAPL", *, day: int = 0, seed: int = 0, offset: int | None = None, **other: Any) -> Features:
    """Give the final event of the daily bar that many days after a Monday, with full windows."""
    random = np.random.default_rng([seed, day, *ticker.encode()])
    price = float(random.uniform(20, 400))
    start_ns = MONDAY_NS + day * DAY_NS
    event = Features(
        id=final_feature_id(ticker, "1d", start_ns),
        ticker=ticker,
        interval="1d",
        final=True,
        as_of_ns=start_ns + DAY_NS,
        bar=_bar(start_ns, price),
        bar_index=100 + day,
        current_price=price,
        last_close=price,
        indicators={"sma_5": price},
        model_inputs=random.normal(size=len(MODEL_INPUT_NAMES)).tolist(),
        sequence=random.normal(size=(SEQUENCE_STEPS, len(SEQUENCE_CHANNELS))).tolist(),
        returns=(random.normal(size=RETURNS_COUNT) / 50).tolist(),
        volatility=float(random.uniform(0.005, 0.05)),
        feature_version=FEATURE_VERSION,
        source_partition=0,
        source_offset=10 * day if offset is None else offset,
        ingested_at_ns=1,
        featured_at_ns=2,
    )
    return structs.replace(event, **other)


def provisional_after(event: Features, *, price: float, offset: int = 1) -> Features:
    """Give an event of the bar that follows a final one, `offset` frames later."""
    start_ns = event.bar.end_ns
    source_offset = event.source_offset + offset
    return structs.replace(
        event,
        id=provisional_feature_id(event.ticker, "1d", start_ns, 0, source_offset),
        final=False,
        as_of_ns=start_ns + offset,
        bar=_bar(start_ns, price),
        current_price=price,
        source_offset=source_offset,
    )


def before_any_bar(ticker: str = "NEW", *, price: float = 10.0) -> Features:
    """Give a provisional event of a ticker that has closed no bar."""
    return structs.replace(
        provisional_after(final(ticker), price=price),
        last_close=None,
        bar_index=0,
        model_inputs=[],
        sequence=[],
        returns=[],
        volatility=None,
    )


def warming_up(event: Features, *, returns: int) -> Features:
    """Give the same event with a short history."""
    return structs.replace(
        event, model_inputs=[], sequence=[], volatility=None, returns=event.returns[-returns:] if returns else []
    )


def _bar(start_ns: int, price: float) -> BarSoFar:
    return BarSoFar(
        start_ns=start_ns,
        end_ns=start_ns + DAY_NS,
        open=price,
        high=price * math.exp(0.01),
        low=price * math.exp(-0.01),
        close=price,
        volume=1_000.0,
        tick_count=4,
    )
