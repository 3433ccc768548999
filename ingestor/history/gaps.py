"""Sessions of an exchange of which no bar is there."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ingestor.sources.live.sessions import Session
from schemas.times import Interval, bar_start_ns, interval_ns, to_rfc3339

_DAY_NS = interval_ns("1d")


def date_ns(session: Session) -> int:
    """Give 00:00 UTC of a session's date, where its daily bar starts: some open on the evening before it."""
    return bar_start_ns(session.close_ns - 1, _DAY_NS)


def lacking(sessions: Sequence[Session], starts_ns: NDArray[np.int64], interval: Interval) -> list[bool]:
    """Tell of each session whether it lacks bars: whether none of them starts in it.

    Args:
        starts_ns: Of one ticker's bars, in order.
    """
    days = interval == "1d"
    opens = [date_ns(each) if days else bar_start_ns(each.open_ns, interval_ns(interval)) for each in sessions]
    closes = [date_ns(each) + _DAY_NS if days else each.close_ns for each in sessions]
    empty: list[bool] = (np.searchsorted(starts_ns, opens) == np.searchsorted(starts_ns, closes)).tolist()
    return empty


def gaps_text(sessions: Sequence[Session], lacks: Sequence[bool]) -> str:
    """Name the sessions that lack bars, those in a row by the first and the last of them."""
    count = sum(lacks)
    if not count:
        return "every session has bars"
    dates = [to_rfc3339(date_ns(session))[:10] for session in sessions]
    rows = groupby(zip(dates, lacks, strict=True), key=lambda pair: pair[1])
    gaps = [[date for date, _ in row] for lack, row in rows if lack]
    named = (gap[0] if len(gap) == 1 else f"{gap[0]} to {gap[-1]}" for gap in gaps)
    return f"{count} session{'s lack' if count > 1 else ' lacks'} bars: {', '.join(named)}"
