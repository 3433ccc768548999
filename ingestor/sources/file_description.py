"""What a file holds, told from its beginning and its end."""

from itertools import accumulate, islice

from msgspec import Struct

from ingestor.sources.file_columns import FileKind, TimedBar
from ingestor.sources.file_intervals import interval_for
from ingestor.sources.file_reader import Read, RowReader
from ingestor.sources.file_rows import open_rows
from ingestor.sources.file_source import length_of_bars
from schemas.times import NS_PER_SECOND, Interval, to_rfc3339

_HEAD_ROWS = 2_000


class FileDescription(Struct, frozen=True, kw_only=True):
    """What a file holds.

    Attributes:
        interval: The shortest one that holds the file's bars; null for ticks, or where one cannot tell.
        bar_seconds: How long the bars really are.
        tickers: Number of tickers in the rows that were looked at.
        backwards: Share of the rows at the beginning that lie before a time that the file had reached.
        whole: All rows were looked at.
    """

    kind: FileKind
    interval: Interval | None
    bar_seconds: float | None
    tickers: int
    first: str | None
    last: str | None
    backwards: float
    whole: bool


def describe_file(path: str, disorder_ns: int = 0) -> FileDescription:
    """Describe a file without reading more than its beginning and its end.

    Args:
        disorder_ns: How far a row may go back in time without being counted.

    Raises:
        StopAndSayError: It cannot be read, or lacks a column.
    """
    file = open_rows(path)
    reader = RowReader(file, path)
    head = list(islice(reader.read(), _HEAD_ROWS + 1))
    whole = len(head) <= _HEAD_ROWS
    seen = [_ticker_and_time(read) for read in head if isinstance(read, Read)]
    tail = seen if whole else [_ticker_and_time(r) for r in reader.understand(file.tail()) if isinstance(r, Read)]
    length_ns = length_of_bars(reader) if reader.kind == "bars" else None
    return FileDescription(
        kind=reader.kind,
        interval=interval_for(length_ns) if length_ns else None,
        bar_seconds=length_ns / NS_PER_SECOND if length_ns else None,
        tickers=len({ticker for ticker, _ in seen + tail}),
        first=to_rfc3339(min(time_ns for _, time_ns in seen)) if seen else None,
        last=to_rfc3339(max(time_ns for _, time_ns in tail)) if tail else None,
        backwards=_backwards([time_ns for _, time_ns in seen], disorder_ns),
        whole=whole,
    )


def _backwards(times_ns: list[int], disorder_ns: int) -> float:
    behind = sum(
        time_ns < newest - disorder_ns for time_ns, newest in zip(times_ns, accumulate(times_ns, max), strict=True)
    )
    return behind / len(times_ns) if times_ns else 0.0


def detect_interval(path: str) -> Interval | None:
    """Tell the interval of a file's bars; None for ticks, or where one cannot tell."""
    return describe_file(path).interval


def _ticker_and_time(read: Read) -> tuple[str, int]:
    value = read.value
    return (value.bar.ticker, value.time_ns) if isinstance(value, TimedBar) else (value.ticker, value.time_ns)
