"""Features of bars at rest, by the very code of the stream: for training, backtests and tests.

    from feature_stream.offline import FeatureRow, feature_rows
    for row in feature_rows("1d", starts_ns, opens, highs, lows, closes, volumes):
        if row.model_inputs:            # empty for the first 33 bars
            ...row.model_inputs, row.sequence, row.returns, row.volatility, row.close, row.end_ns

One call is one ticker's history from its first bar on: the recursive averages start with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from feature_stream.indicators.closed import ClosedView, closed_view
from feature_stream.indicators.rolling import Rolling
from schemas.events import PriceBar
from schemas.times import Interval, interval_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureRow:
    """What the final feature event of one bar says; fields as in `schemas.events.Features`."""

    bar_index: int
    start_ns: int
    end_ns: int
    close: float
    indicators: dict[str, float | None]
    model_inputs: list[float]
    sequence: list[list[float]]
    returns: list[float]
    volatility: float | None


def feature_rows(
    interval: Interval,
    starts_ns: Iterable[int],
    opens: Iterable[float],
    highs: Iterable[float],
    lows: Iterable[float],
    closes: Iterable[float],
    volumes: Iterable[float],
) -> Iterator[FeatureRow]:
    """Give the features after each closed bar of one ticker, oldest first.

    Args:
        interval: Of the bars.
        starts_ns: Start of each bar, rising.
        opens: And so on: columns of equal length; Python or numpy numbers, prices positive and finite.

    Raises:
        ValueError: The columns differ in length.
    """
    rolling, length_ns = Rolling(), interval_ns(interval)
    for start_ns, *prices_and_volume in zip(starts_ns, opens, highs, lows, closes, volumes, strict=True):
        open_, high, low, close, volume = map(float, prices_and_volume)
        bar = PriceBar(start_ns=int(start_ns), open=open_, high=high, low=low, close=close, volume=volume)
        rolling.push(bar)
        yield _row(rolling, closed_view(rolling), bar, length_ns)


def _row(rolling: Rolling, view: ClosedView, bar: PriceBar, length_ns: int) -> FeatureRow:
    return FeatureRow(
        bar_index=rolling.window.count,
        start_ns=bar.start_ns,
        end_ns=bar.start_ns + length_ns,
        close=bar.close,
        indicators=view.indicators,
        model_inputs=view.model_inputs,
        sequence=view.sequence,
        returns=view.returns,
        volatility=view.volatility,
    )
