"""How long the bars of a file are."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice, pairwise

from ingestor.sources.file_columns import TimedBar
from ingestor.sources.file_reader import Read, RowReader
from schemas.errors import StopAndSayError
from schemas.times import INTERVALS, NS_PER_SECOND, Interval, interval_ns

#: Bars from which their length is told, and rows that are looked at for them.
_HEAD_BARS = 2_000
_HEAD_ROWS = 20_000

DAY_NS = 86_400 * NS_PER_SECOND
#: Two daily bars stand this far apart even where clocks are put forward between them.
_ALMOST_A_DAY_NS = 20 * 3_600 * NS_PER_SECOND
#: Lengths that bars have, the longest first: hours, minutes, seconds.
_LENGTHS_NS = tuple(
    count * unit_seconds * NS_PER_SECOND
    for unit_seconds, counts in ((3_600, (12, 8, 6, 4, 3, 2, 1)), (60, (30, 20, 15, 10, 5, 4, 3, 2, 1)))
    for count in counts
) + tuple(seconds * NS_PER_SECOND for seconds in (30, 20, 15, 10, 5, 2, 1))
#: A bad stamp or two do not make minutes into seconds.
_NEARLY_ALL = 0.95


def length_of_bars(reader: RowReader) -> int | None:
    """Tell from the first rows how long a file's bars are; None where they do not tell."""
    times: dict[str, list[int]] = {}
    rows = (read for read in reader.read() if read is not None)
    good = (read.value for read in islice(rows, _HEAD_ROWS) if isinstance(read, Read))
    for timed in islice(good, _HEAD_BARS):
        if isinstance(timed, TimedBar):
            times.setdefault(timed.bar.ticker, []).append(timed.time_ns)
    return bar_length_ns(times.values())


def bar_length_ns(times_by_ticker: Iterable[list[int]]) -> int | None:
    """Tell how long bars are from their times, in file order.

    A day where they mostly stand a day or more apart, else the largest common length that divides nearly all
    distances; None where no ticker has two bars.
    """
    distances = [after - before for times in times_by_ticker for before, after in pairwise(times) if after > before]
    if not distances:
        return None
    usual, _ = Counter(distances).most_common(1)[0]
    if usual >= _ALMOST_A_DAY_NS:
        return DAY_NS
    for length_ns in _LENGTHS_NS:
        if sum(distance % length_ns == 0 for distance in distances) >= _NEARLY_ALL * len(distances):
            return length_ns
    return NS_PER_SECOND


def interval_for(length_ns: int) -> Interval:
    """Give the shortest interval that is a whole number of bars of a length: no bar may reach into the next one."""
    return next(interval for interval in INTERVALS if interval_ns(interval) % length_ns == 0)


def require_whole_bars(path: str, length_ns: int, interval: Interval) -> None:
    """Check that an interval is a whole number of a file's bars.

    Raises:
        StopAndSayError: It is not; the line names the shortest one that is.
    """
    if interval_ns(interval) % length_ns:
        raise StopAndSayError(
            f"TICKCAST_INTERVAL: {path} holds bars of {length_text(length_ns)}, of which {interval} is not a whole "
            f"number: set {interval_for(length_ns)}"
        )


def length_text(length_ns: int) -> str:
    """Write a length like `15m`."""
    seconds = length_ns // NS_PER_SECOND
    units = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    return next(f"{seconds // unit}{name}" for name, unit in units if seconds % unit == 0)
