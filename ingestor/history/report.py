"""What a call tells about the bars that are there now."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingestor.history.asked import Piece
from ingestor.history.gaps import gaps_text, lacking
from ingestor.history.shelf import Shelf
from ingestor.sources.live.sessions import Sessions
from schemas.times import Interval, bar_start_ns, interval_ns, to_rfc3339

#: Of what was fetched, so much is left to be played; what lies before it trains the models.
_PLAYED_SHARE = 0.25


def lines(
    bars: pa.Table, pieces: Sequence[Piece], shelf: Shelf, sessions: Sessions, interval: Interval
) -> Iterator[str]:
    """Give a line for each ticker: how many bars, from when to when, and the sessions without any."""
    names, starts_ns = np.array(bars["ticker"].to_pylist()), _starts_ns(bars)
    for ticker in dict.fromkeys(piece.ticker for piece in pieces):
        own = [piece for piece in pieces if piece.ticker == ticker]
        starts = starts_ns[names == ticker]
        there = sessions.between(own[0].start_ns, max(map(shelf.reached_ns, own)))
        span = f", {to_rfc3339(int(starts[0]))} to {to_rfc3339(int(starts[-1]))}" if len(starts) else ""
        yield f"{ticker}: {len(starts)} bars{span}; {gaps_text(there, lacking(there, starts, interval))}"


def first_played_day(bars: pa.Table) -> str:
    """Give the day from which on the bars are to be played."""
    starts_ns = _starts_ns(bars)
    start_ns = int(starts_ns[int(len(starts_ns) * (1 - _PLAYED_SHARE))])
    return to_rfc3339(bar_start_ns(start_ns, interval_ns("1d")))[:10]


def _starts_ns(bars: pa.Table) -> NDArray[np.int64]:
    starts_ns: NDArray[np.int64] = bars["timestamp"].cast(pa.int64()).to_numpy()
    return starts_ns
