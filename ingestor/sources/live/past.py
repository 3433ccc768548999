"""Bars of history, in the order in which they are played into a stream."""

from collections import defaultdict
from collections.abc import Mapping

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.bars import BarColumns


def bars_by_start(history: Mapping[str, BarColumns]) -> list[tuple[int, list[PlayedBar]]]:
    """Give the bars of all tickers, start after start."""
    bars: defaultdict[int, list[PlayedBar]] = defaultdict(list)
    for ticker, columns in history.items():
        prices = (columns.open, columns.high, columns.low, columns.close, columns.volume)
        for start_ns, *row in zip(columns.start_ns.tolist(), *(column.tolist() for column in prices), strict=True):
            bars[start_ns].append(PlayedBar(ticker, *row))
    return sorted(bars.items())
