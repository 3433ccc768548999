"""What a file holds, told from its beginning, its end and a sample of all of it."""

from collections.abc import Collection, Iterable
from itertools import accumulate, islice

from msgspec import Struct

from ingestor.sources.file_columns import FileKind, TimedBar
from ingestor.sources.file_intervals import DAY_NS, interval_for, length_of_bars
from ingestor.sources.file_reader import Read, RowReader
from ingestor.sources.file_rows import open_rows
from ingestor.sources.moments import Rejected
from schemas.times import NS_PER_SECOND, Interval, to_rfc3339

_HEAD_ROWS = 2_000


class FileDescription(Struct, frozen=True, kw_only=True):
    """What a file holds.

    Attributes:
        interval: The shortest one that is a whole number of the file's bars; null for ticks, or where one cannot tell.
        bar_seconds: How long the bars really are.
        tickers: Number of tickers in the rows that were looked at.
        backwards: Share of the rows that were looked at, all over the file, that lie before a time that it had reached.
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


def describe_file(path: str, disorder_ns: int = 0, tickers: Collection[str] = ()) -> FileDescription:
    """Describe a file without understanding more than its beginning, its end and a sample of what lies between.

    Args:
        disorder_ns: How far a row may go back in time without being counted.
        tickers: Only the rows of these; empty: all.

    Raises:
        StopAndSayError: It cannot be read, or lacks a column.
    """
    file = open_rows(path)
    reader = RowReader(file, path, tickers)
    length_ns = length_of_bars(reader) if reader.kind == "bars" else None
    head = list(islice((read for read in reader.read() if read is not None), _HEAD_ROWS + 1))
    whole = len(head) <= _HEAD_ROWS
    seen = _tickers_and_times(reader, head, length_ns)
    tail = seen if whole else _tickers_and_times(reader, reader.understand(file.tail()), length_ns)
    sample = seen if whole else _tickers_and_times(reader, reader.understand(file.sample()), length_ns)
    return FileDescription(
        kind=reader.kind,
        interval=interval_for(length_ns) if length_ns else None,
        bar_seconds=length_ns / NS_PER_SECOND if length_ns else None,
        tickers=len({ticker for ticker, _ in seen + sample + tail}),
        first=to_rfc3339(min(time_ns for _, time_ns in seen)) if seen else None,
        last=to_rfc3339(max(time_ns for _, time_ns in tail)) if tail else None,
        backwards=_backwards([time_ns for _, time_ns in sample], disorder_ns),
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


def _tickers_and_times(
    reader: RowReader, rows: Iterable[Read | Rejected | None], length_ns: int | None
) -> list[tuple[str, int]]:
    """Give what good rows state; of daily bars, their dates."""
    good = [read for read in rows if isinstance(read, Read)]
    tickers = [read.value.bar.ticker if isinstance(read.value, TimedBar) else read.value.ticker for read in good]
    times_ns = [reader.date_ns(read.row) if length_ns == DAY_NS else read.value.time_ns for read in good]
    return list(zip(tickers, times_ns, strict=True))
