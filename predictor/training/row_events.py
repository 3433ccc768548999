"""Bars at rest to the events that they made, or would have made, in the stream."""

from collections.abc import Iterator

from feature_stream.offline import FeatureRow, feature_rows
from ingestor.sources.bars import BarColumns
from predictor.batch import why_unreadable
from schemas.events import Bar, BarSoFar, Features
from schemas.features import FEATURE_VERSION
from schemas.identity import bar_id, final_feature_id
from schemas.times import Interval, interval_ns

#: A bar at rest stands for its open, high, low and close.
_TICKS = 4


def rows_of(interval: Interval, columns: BarColumns) -> Iterator[FeatureRow]:
    """Give the features after each bar of one ticker, from its first one on, as the stream computes them."""
    prices = (columns.open, columns.high, columns.low, columns.close, columns.volume)
    return feature_rows(interval, columns.start_ns, *prices)


def readable_events(
    ticker: str, columns: BarColumns, interval: Interval, after_ns: int, through_ns: int
) -> Iterator[Features]:
    """Give the events as of times in `(after_ns, through_ns]` that the models can read.

    Args:
        ticker: Of the bars.
        columns: From the ticker's first bar on: the recursive averages start with it. Those that end later are unseen.
    """
    for at, row in enumerate(rows_of(interval, columns)):
        if row.end_ns > through_ns:
            return
        if row.end_ns > after_ns and why_unreadable(row) is None:
            yield final_event(ticker, interval, row, bar_so_far(columns, at, interval))


def bar_so_far(columns: BarColumns, at: int, interval: Interval) -> BarSoFar:
    """Give the bar at a place in the columns."""
    start_ns = int(columns.start_ns[at])
    return BarSoFar(
        start_ns=start_ns,
        end_ns=start_ns + interval_ns(interval),
        open=float(columns.open[at]),
        high=float(columns.high[at]),
        low=float(columns.low[at]),
        close=float(columns.close[at]),
        volume=float(columns.volume[at]),
        tick_count=_TICKS,
    )


def closed_bar(ticker: str, interval: Interval, bar: BarSoFar, bar_index: int, source: str) -> Bar:
    """Give the event of a closed bar; its place in a log is its index."""
    return Bar(
        id=bar_id(ticker, interval, bar.start_ns),
        ticker=ticker,
        interval=interval,
        start_ns=bar.start_ns,
        end_ns=bar.end_ns,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        tick_count=bar.tick_count,
        bar_index=bar_index,
        source=source,
        source_partition=0,
        source_offset=bar_index,
        ingested_at_ns=bar.end_ns,
        closed_at_ns=bar.end_ns,
    )


def final_event(ticker: str, interval: Interval, row: FeatureRow, bar: BarSoFar) -> Features:
    """Give the final feature event of a row; its place in a log is that of its bar."""
    return Features(
        id=final_feature_id(ticker, interval, row.start_ns),
        ticker=ticker,
        interval=interval,
        final=True,
        as_of_ns=row.end_ns,
        bar=bar,
        bar_index=row.bar_index,
        current_price=row.close,
        last_close=row.close,
        indicators=row.indicators,
        model_inputs=row.model_inputs,
        sequence=row.sequence,
        returns=row.returns,
        volatility=row.volatility,
        feature_version=FEATURE_VERSION,
        source_partition=0,
        source_offset=row.bar_index,
        ingested_at_ns=row.end_ns,
        featured_at_ns=row.end_ns,
    )
