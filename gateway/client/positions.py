"""How far a stream has come with each ticker, and what is missing. No I/O, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.client.events import Gap


@dataclass
class Positions:
    """The last `seq` of each ticker. Only what comes later tells whether something is missing before it.

    Of a ticker is known: nothing at all; or that the server has nothing of it yet (None); or its last `seq`.

    Attributes:
        complete: Nothing known of a ticker means that the server has nothing of it: all others were in a snapshot.
    """

    complete: bool = False
    _last: dict[str, int | None] = field(default_factory=dict)

    def heard_of_nothing(self, tickers: Iterable[str]) -> None:
        """Note that the server has nothing of these tickers: whatever it gets from here on is due here."""
        for ticker in tickers:
            self._last.setdefault(ticker, None)

    def forget(self, tickers: Iterable[str]) -> None:
        """Drop tickers that are no longer wanted."""
        for ticker in tickers:
            self._last.pop(ticker, None)

    def clear(self) -> None:
        """Drop everything."""
        self._last.clear()
        self.complete = False

    def is_new(self, ticker: str, seq: int) -> bool:
        """Tell whether an update is above the last of its ticker; where a stream resumes, some come again."""
        last = self._last.get(ticker)
        return last is None or seq > last

    def advance(self, ticker: str, seq: int, prev: int | None) -> Gap | None:
        """Take a new update.

        Args:
            prev: `seq` of the update before it, as the server knows it.

        Returns:
            What is missing before it.
        """
        known = self.complete or ticker in self._last
        last = self._last.get(ticker)
        self._last[ticker] = seq
        return Gap(ticker, last, seq) if known and last != prev else None

    def since(self, tickers: Iterable[str] | None = None) -> dict[str, int]:
        """Give the last `seq` of each of these tickers that has one; None: of all."""
        wanted = self._last if tickers is None else tickers
        return {ticker: last for ticker in wanted if (last := self._last.get(ticker)) is not None}
