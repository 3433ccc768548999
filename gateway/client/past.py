"""What `/bars/{ticker}` says, as far as the client promises it."""

from msgspec import Struct

from schemas.public import Time


class PastBar(Struct, frozen=True, kw_only=True):
    """A closed bar, `[start, end)`.

    Attributes:
        bar_index: Closed bars of the ticker so far, this one included.
    """

    start: Time
    end: Time
    open: float
    high: float
    low: float
    close: float
    volume: float
    bar_index: int


class PastBars(Struct, frozen=True, kw_only=True):
    """Recorded bars of a ticker, oldest first."""

    ticker: str
    bars: list[PastBar]
