"""What a call asks for, and in which pieces it is fetched: one question to the provider each."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from schemas.times import NS_PER_SECOND, Interval


class Piece(NamedTuple):
    """A stretch of one ticker's past.

    Attributes:
        label: Tells it from the ticker's others: a month like `2026-10`, or `all`.
        start_ns: Of the first bar, at the earliest.
        end_ns: All bars start before it.
        to_now: It ends where the past ends.
    """

    ticker: str
    label: str
    start_ns: int
    end_ns: int
    to_now: bool

    @property
    def name(self) -> str:
        """Give it for people."""
        return self.ticker if self.label == "all" else f"{self.ticker} {self.label}"


def pieces_of(tickers: Sequence[str], start_ns: int, end_ns: int, interval: Interval, *, to_now: bool) -> list[Piece]:
    """Give the pieces, ticker after ticker, the oldest first.

    Daily bars come in one piece, as every provider gives them. Shorter ones by month, so that an interruption costs
    little, and a longer past asks only for the months that are new.
    """
    spans = [("all", start_ns, end_ns)] if interval == "1d" else _months(start_ns, end_ns)
    return [Piece(ticker, *span, to_now and span[2] == end_ns) for ticker in tickers for span in spans]


def _months(start_ns: int, end_ns: int) -> list[tuple[str, int, int]]:
    months = []
    while start_ns < end_ns:
        first = datetime.fromtimestamp(start_ns // NS_PER_SECOND, UTC)
        next_month = datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC)
        month_end_ns = min(end_ns, int(next_month.timestamp()) * NS_PER_SECOND)
        months.append((f"{first:%Y-%m}", start_ns, month_end_ns))
        start_ns = month_end_ns
    return months
