"""The past of a live market, for training."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence

from prometheus_client import CollectorRegistry

from ingestor.sources.bars import BarColumns
from ingestor.sources.live.asking import first_history
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.opening import open_provider, require_tickers
from ingestor.sources.live.settings import LiveSettings
from schemas.settings import load_settings
from schemas.times import NS_PER_SECOND, Interval, bar_start_ns, interval_ns

_DAY_NS = interval_ns("1d")
#: What a day of trading has at least, in most places.
_SESSION_NS = int(6.5 * 3_600 * NS_PER_SECOND)
#: Days for each day of trading, with weekends and holidays, and some more for a long holiday.
_DAYS_PER_SESSION, _MORE_DAYS = 1.5, 7


def span_ns(interval: Interval, bars: int) -> int:
    """Give a time that surely holds so many bars of a market with weekends, in nanoseconds."""
    sessions = bars if interval == "1d" else bars * interval_ns(interval) / _SESSION_NS
    return int((sessions * _DAYS_PER_SESSION + _MORE_DAYS) * _DAY_NS)


def load_live_history(
    names: Sequence[str],
    interval: Interval,
    tickers: Collection[str],
    start_ns: int | None = None,
    end_ns: int | None = None,
    clock_ns: Callable[[], int] = time.time_ns,
) -> dict[str, BarColumns]:
    """Ask providers for the bars that start in `[start_ns, end_ns)`, the last so many where there is no start.

    Args:
        names: Of the providers; one is asked after the other, until one has bars.

    Raises:
        RetryError: None answers, or the plan allows no request now.
        StopAndSayError: All refuse the key or the plan, or no tickers are named.
    """
    settings = load_settings(LiveSettings)
    tickers = require_tickers(tickers)
    providers = [open_provider(name, LiveFigures(name, CollectorRegistry()), settings) for name in names]
    closed_ns = bar_start_ns(clock_ns(), interval_ns(interval))
    end_ns = closed_ns if end_ns is None else min(end_ns, closed_ns)
    count = settings.source_history_bars
    first_ns = end_ns - span_ns(interval, count) if start_ns is None else start_ns
    bars = asyncio.run(first_history(providers, tickers, first_ns, end_ns, interval))
    if start_ns is not None:
        return bars
    return {ticker: columns.between(int(columns.start_ns[-count:][0]), None) for ticker, columns in bars.items()}
