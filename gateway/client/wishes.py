"""What a stream wants: tickers, and how they are to come."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.sockets import MessageFormat, Since, Subscribe
from schemas.symbols import normalise_ticker

EVERYTHING = "*"


@dataclass(frozen=True, kw_only=True)
class Options:
    """How updates are to come.

    Attributes:
        max_rate: Provisional updates a second and ticker.
        min_confidence: Only predictions whose shortest horizon has at least this confidence.
        final_only: Only predictions of closed bars.
        format: On the wire.
    """

    max_rate: float | None = None
    min_confidence: float | None = None
    final_only: bool = False
    format: MessageFormat = "json"

    def subscribe(self, tickers: Iterable[str], request_id: str, since: Since | None) -> Subscribe:
        """Give the message that asks for tickers."""
        return Subscribe(
            tickers=list(tickers),
            id=request_id,
            since=since,
            max_rate=self.max_rate,
            min_confidence=self.min_confidence,
            final_only=self.final_only,
            format=self.format,
        )


def normalised(tickers: Iterable[str]) -> list[str]:
    """Give tickers as the gateway writes them.

    Raises:
        InvalidTickerError: One is no symbol, nor `*`.
    """
    if isinstance(tickers, str):
        raise TypeError(f'give a list of tickers, like ["{tickers}"]')
    return [EVERYTHING if ticker == EVERYTHING else normalise_ticker(ticker) for ticker in tickers]


@dataclass
class Wishes:
    """The tickers that a stream wants; `*` takes the place of all names."""

    _tickers: dict[str, None] = field(default_factory=dict)

    @property
    def everything(self) -> bool:
        """Tell whether all tickers are wanted."""
        return EVERYTHING in self._tickers

    def __contains__(self, ticker: str) -> bool:
        return self.everything or ticker in self._tickers

    def listed(self) -> list[str]:
        """Give them as the protocol names them."""
        return list(self._tickers)

    def add(self, tickers: Iterable[str]) -> None:
        """Want these too."""
        if not self.everything:
            self._tickers |= dict.fromkeys(tickers)
        if self.everything:
            self._tickers = {EVERYTHING: None}

    def remove(self, tickers: Iterable[str]) -> None:
        """Want these no longer; `*`: nothing any more.

        Raises:
            ValueError: Names cannot be taken out of everything.
        """
        unwanted = set(tickers)
        if EVERYTHING in unwanted:
            self._tickers.clear()
        elif self.everything:
            raise ValueError('the stream gets all tickers: unsubscribe ["*"], then subscribe to those that you want')
        for ticker in unwanted:
            self._tickers.pop(ticker, None)

    def withdraw(self, tickers: Iterable[str]) -> None:
        """Take out what the gateway refused."""
        if not self.everything or EVERYTHING in tickers:
            self.remove(tickers)
