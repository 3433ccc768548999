"""The view: the latest prediction of each ticker, in bytes that were made once."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.presentation import present
from schemas.events import Prediction

#: What rises strictly in log order for one ticker: source offset, bar index, provisional.
Order = tuple[int, int, bool]

_MESSAGE_START = '{"type":"prediction",'


def order_of(prediction: Prediction) -> Order:
    """Give a prediction's place among those of its ticker."""
    return prediction.source_offset, prediction.bar_index, prediction.provisional


@dataclass(frozen=True, slots=True)
class Entry:
    """One prediction, ready to be sent.

    Attributes:
        body: The JSON of `/predict/{ticker}`.
        message: The WebSocket message: the same fields after `type`.
    """

    ticker: str
    order: Order
    body: bytes
    message: str


def entry_of(prediction: Prediction) -> Entry:
    """Make the bytes of a prediction.

    Raises:
        UndecodableError: A value cannot be said at the edge.
    """
    body = present(prediction)
    message = _MESSAGE_START + body[1:].decode()
    return Entry(prediction.ticker, order_of(prediction), body, message)


class LatestView:
    """The latest prediction of each ticker; it never goes back.

    Attributes:
        caught_up: It has everything that the topic held when the gateway started.
    """

    def __init__(self) -> None:
        self.caught_up = False
        self._entries: dict[str, Entry] = {}
        self._all: bytes | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def accept(self, prediction: Prediction) -> Entry | None:
        """Take a prediction that is above the ticker's latest.

        Returns:
            Its entry, or None where it was passed over.

        Raises:
            UndecodableError: A value cannot be said at the edge; nothing changed.
        """
        known = self._entries.get(prediction.ticker)
        if known is not None and order_of(prediction) <= known.order:
            return None
        entry = entry_of(prediction)
        self._entries[entry.ticker] = entry
        self._all = None
        return entry

    def forget(self, ticker: str) -> None:
        """Drop a ticker, as a tombstone in the compacted topic asks."""
        if self._entries.pop(ticker, None) is not None:
            self._all = None

    def get(self, ticker: str) -> Entry | None:
        """Give a ticker's latest, or None."""
        return self._entries.get(ticker)

    def entries(self) -> list[Entry]:
        """Give all latest, by ticker."""
        return [self._entries[ticker] for ticker in sorted(self._entries)]

    def unknown(self, tickers: Iterable[str]) -> list[str]:
        """Give those tickers that have no prediction, in order."""
        return sorted(ticker for ticker in tickers if ticker not in self._entries)

    def all_bytes(self) -> bytes:
        """Give the JSON of `/predictions`."""
        if self._all is None:
            bodies = b",".join(entry.body for entry in self.entries())
            self._all = b'{"count":%d,"predictions":[%b]}' % (len(self._entries), bodies)
        return self._all

    def near(self, ticker: str, count: int = 5) -> list[str]:
        """Give the known tickers that look most like an unknown one, best first."""
        alike = [known for known in self._entries if abs(len(known) - len(ticker)) <= 2 and set(known) & set(ticker)]
        return difflib.get_close_matches(ticker, sorted(alike), n=count, cutoff=0.5)
