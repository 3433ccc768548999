"""A caller's own closing prices: are they any use, and the row that forecasters read of them."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from predictor.batch import LARGEST_PRICE, LONGEST_ID, SMALLEST_PRICE
from schemas.events import BarSoFar, Features, ForecastRequest
from schemas.features import FEATURE_VERSION, RETURNS_COUNT
from schemas.symbols import is_ticker
from schemas.times import bar_start_ns, interval_ns

FEWEST_CLOSES, MOST_CLOSES = 10, 10_000
#: Returns that a volatility is made of, as everywhere (`docs/features.md`).
VOLATILITY_RETURNS = 20
_LARGEST_NS = 2**62
#: Characters of what should be a ticker that an answer repeats: there may be a megabyte of them.
TICKER_SHOWN = 32


def cannot_be_answered(request_id: str) -> str | None:
    """Say why no answer would find whoever asked, naming the field; None where one would."""
    if 1 <= len(request_id) <= LONGEST_ID:
        return None
    return f"ForecastRequest: id has {len(request_id)} characters, not 1 to {LONGEST_ID}"


def problem_of(request: ForecastRequest) -> str | None:
    """Say what is wrong with a request, and what to send instead; None where nothing is."""
    if request.closes and request.bars:
        return "closes and bars: both are given: send one of them"
    return _problem_of_prices(request) or _problem_of_times(request) or _problem_of_ticker(request)


def _problem_of_prices(request: ForecastRequest) -> str | None:
    field = "bars" if request.bars else "closes"
    closes = closes_of(request)
    if not FEWEST_CLOSES <= len(closes) <= MOST_CLOSES:
        return f"{field}: {len(closes)} are given: send {FEWEST_CLOSES} to {MOST_CLOSES:,}, the oldest first"
    bad = next((at for at, close in enumerate(closes) if not SMALLEST_PRICE <= close <= LARGEST_PRICE), None)
    if bad is None:
        return None
    name = f"bars[{bad}].close" if request.bars else f"closes[{bad}]"
    return f"{name}: {closes[bad]!r} is no price: send numbers from {SMALLEST_PRICE:g} to {LARGEST_PRICE:g}"


def _problem_of_times(request: ForecastRequest) -> str | None:
    if not 0 <= request.requested_at_ns < _LARGEST_NS:
        return "requested_at_ns: it is out of range: send nanoseconds since 1970"
    starts = [bar.start_ns for bar in request.bars]
    if not all(abs(start) < _LARGEST_NS for start in starts):
        return "bars: a start_ns is out of range: send nanoseconds since 1970"
    late = next((at for at, (before, after) in enumerate(pairwise(starts), 1) if after <= before), None)
    return None if late is None else f"bars[{late}].start_ns: it is not after the one before: send the oldest first"


def _problem_of_ticker(request: ForecastRequest) -> str | None:
    if request.ticker is None or is_ticker(request.ticker):
        return None
    return f"ticker: {request.ticker[:TICKER_SHOWN]!r} is not a symbol: send one like AAPL, or none"


def closes_of(request: ForecastRequest) -> list[float]:
    """Give the closing prices, oldest first."""
    return [bar.close for bar in request.bars] if request.bars else request.closes


def row_of(request: ForecastRequest) -> Features:
    """Give what a final feature event would say of these prices, as far as forecasters of returns read it.

    Where only closes are given, the last one is taken for that of the newest bar that had ended at the request.
    """
    closes = closes_of(request)[-RETURNS_COUNT - 1 :]
    returns = np.diff(np.log(closes)).tolist()
    length_ns = interval_ns(request.interval)
    newest_ns = bar_start_ns(request.requested_at_ns, length_ns) - length_ns
    start_ns = request.bars[-1].start_ns if request.bars else newest_ns
    close = closes[-1]
    return Features(
        id=request.id,
        ticker=request.ticker or "",
        interval=request.interval,
        final=True,
        as_of_ns=start_ns + length_ns,
        bar=BarSoFar(
            start_ns=start_ns,
            end_ns=start_ns + length_ns,
            open=close,
            high=close,
            low=close,
            close=close,
            volume=0.0,
            tick_count=0,
        ),
        bar_index=len(closes),
        current_price=close,
        last_close=close,
        indicators={},
        model_inputs=[],
        sequence=[],
        returns=returns,
        volatility=_volatility(returns),
        feature_version=FEATURE_VERSION,
        source_partition=0,
        source_offset=0,
        ingested_at_ns=request.requested_at_ns,
        featured_at_ns=request.requested_at_ns,
    )


def _volatility(returns: Sequence[float]) -> float | None:
    """Give the sample standard deviation of the newest 20 returns; None where there are fewer."""
    if len(returns) < VOLATILITY_RETURNS:
        return None
    newest = returns[-VOLATILITY_RETURNS:]
    mean = math.fsum(newest) / VOLATILITY_RETURNS
    return math.sqrt(math.fsum((each - mean) ** 2 for each in newest) / (VOLATILITY_RETURNS - 1))
