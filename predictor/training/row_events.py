"""Bars at rest to the final feature events that they made, or would have made, in the stream."""

from collections.abc import Iterator

from feature_stream.offline import FeatureRow, feature_rows
from ingestor.sources.bars import BarColumns
from predictor.batch import why_unreadable
from schemas.events import BarSoFar, Features
from schemas.features import FEATURE_VERSION
from schemas.identity import final_feature_id
from schemas.times import Interval

#: A bar at rest stands for its open, high, low and close.
_TICKS = 4


def readable_events(
    ticker: str, columns: BarColumns, interval: Interval, after_ns: int, through_ns: int
) -> Iterator[Features]:
    """Give the events as of times in `(after_ns, through_ns]` that the models can read.

    Args:
        ticker: Of the bars.
        columns: From the ticker's first bar on: the recursive averages start with it. Those that end later are unseen.
    """
    prices = (columns.open, columns.high, columns.low, columns.close, columns.volume)
    for at, row in enumerate(feature_rows(interval, columns.start_ns, *prices)):
        if row.end_ns > through_ns:
            return
        if row.end_ns > after_ns and why_unreadable(row) is None:
            yield final_event(ticker, interval, row, bar_so_far(columns, at, row))


def bar_so_far(columns: BarColumns, at: int, row: FeatureRow) -> BarSoFar:
    """Give a row's bar, which is at this place in the columns."""
    return BarSoFar(
        start_ns=row.start_ns,
        end_ns=row.end_ns,
        open=float(columns.open[at]),
        high=float(columns.high[at]),
        low=float(columns.low[at]),
        close=row.close,
        volume=float(columns.volume[at]),
        tick_count=_TICKS,
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
