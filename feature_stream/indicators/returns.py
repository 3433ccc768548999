"""Log returns, and what one bar says by itself."""

from math import log

from feature_stream.indicators.window import Window


def log_return(window: Window, span: int) -> float | None:
    """Give `ln(close / close span bars ago)`; null before there are `span + 1` bars."""
    closes = window.closes
    return log(closes[-1] / closes[-1 - span]) if len(closes) > span else None


def lagged_return(window: Window, lag: int) -> float | None:
    """Give the one-bar log return of `lag` bars ago; null before there are `lag + 2` bars."""
    log_returns = window.log_returns
    return log_returns[-1 - lag] if len(log_returns) > lag else None


def high_low_range(window: Window) -> float:
    """Give `(high - low) / close` of the newest bar."""
    return (window.highs[-1] - window.lows[-1]) / window.closes[-1]


def gap(window: Window) -> float | None:
    """Give `open / previous close - 1`; null for the first bar."""
    closes = window.closes
    return window.opens[-1] / closes[-2] - 1.0 if len(closes) > 1 else None
