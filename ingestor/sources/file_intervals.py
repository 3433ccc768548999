"""How long the bars of a file are."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from schemas.times import INTERVALS, NS_PER_SECOND, Interval, interval_ns

_DAY_NS = 86_400 * NS_PER_SECOND
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
        return _DAY_NS
    for length_ns in _LENGTHS_NS:
        if sum(distance % length_ns == 0 for distance in distances) >= _NEARLY_ALL * len(distances):
            return length_ns
    return NS_PER_SECOND


def interval_for(length_ns: int) -> Interval:
    """Give the shortest interval that holds bars of a length of up to a day."""
    return next(interval for interval in INTERVALS if interval_ns(interval) >= length_ns)
