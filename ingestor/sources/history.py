"""The past of any source, as bars: what training reads, without a broker."""

from collections.abc import Collection

from ingestor.sources.bars import BarColumns
from ingestor.sources.daily_prices import load_daily_bars
from ingestor.sources.file_history import read_history
from ingestor.sources.file_intervals import length_of_bars, require_whole_bars
from ingestor.sources.file_reader import RowReader
from ingestor.sources.file_rows import open_rows
from ingestor.sources.live.live_history import load_live_history
from schemas.errors import StopAndSayError
from schemas.source_settings import SOURCE_WORDS, live_names
from schemas.times import Interval, interval_ns


def load_history(
    source: str,
    interval: Interval,
    tickers: Collection[str] = (),
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> dict[str, BarColumns]:
    """Load the bars of a source that start in `[start_ns, end_ns)`, by ticker in alphabetical order.

    Args:
        source: `replay`, `file:PATH`, live markets, or `simulated` (which has no past: nothing).
        interval: A file's ticks or shorter bars are folded to it.
        tickers: Only these; empty: all.

    Raises:
        RetryError: No live market answers.
        StopAndSayError: There is no such source, or it cannot be read, or does not have a ticker, or the interval is
            not a whole number of a file's bars.
    """
    if source == "simulated":
        return {}
    if source == "replay":
        return load_daily_bars(tickers, start_ns, end_ns)
    if names := live_names(source):
        return load_live_history(names, interval, tickers, start_ns, end_ns)
    kind, _, path = source.partition(":")
    if kind != "file" or not path:
        raise StopAndSayError(f"TICKCAST_SOURCE {source!r}: use {SOURCE_WORDS}")
    reader = RowReader(open_rows(path), path, tickers)
    if reader.kind == "bars":
        require_whole_bars(path, length_of_bars(reader) or interval_ns(interval), interval)
    return read_history(reader, interval_ns(interval), start_ns, end_ns)
