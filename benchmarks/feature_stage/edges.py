"""The leading edge: ticks whose feature was due at once. Pure; offsets are of one ticker's partition, times in ns."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

#: An offset in `ticks`, and when the broker appended it, or when a feature that holds it was received.
Moment = tuple[int, int]


def leading_edges(
    ticks: Sequence[Moment], words: Sequence[Moment], silence_ns: int
) -> Iterator[tuple[int, int | None]]:
    """Yield the ticks of a ticker that were due at once: when appended, and when the first feature with them came.

    A stage may speak of a ticker once per update interval: it tells of a tick at most an interval later, and again at
    once if another interval has passed. So a tick after a silence of two intervals and a little is due at once. What
    counts hangs on the log alone: a stage that is late, or tells of a newer tick as well, gains nothing by it.

    Args:
        ticks: Of the ticker, in the order of the log.
        words: Its provisional feature events, in the order of their receipt.
        silence_ns: Two update intervals, and a little.
    """
    told = 0
    for (_, before_ns), (offset, appended_at_ns) in pairwise(ticks):
        while told < len(words) and words[told][0] < offset:
            told += 1
        if appended_at_ns - before_ns >= silence_ns:
            yield appended_at_ns, words[told][1] if told < len(words) else None
