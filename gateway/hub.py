"""Who gets what."""

from collections.abc import Iterable, Iterator

from gateway.latest import Entry
from gateway.mailbox import Mailbox

EVERYTHING = "*"


class Subscriber:
    """One client: what it wants, and what it is yet to be sent."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.everything = False
        self.named: set[str] = set()

    def wants(self, ticker: str) -> bool:
        """Tell whether updates of a ticker go to this client."""
        return self.everything or ticker in self.named

    def listed(self) -> list[str]:
        """Give the whole list of what it wants; `["*"]` is everything."""
        return [EVERYTHING] if self.everything else sorted(self.named)


class Hub:
    """All clients, by what they want. One thread uses it.

    Attributes:
        closing: The gateway stops; nobody may join.
    """

    def __init__(self) -> None:
        self.closing = False
        self._subscribers: set[Subscriber] = set()
        self._of_everything: set[Subscriber] = set()
        self._of_ticker: dict[str, set[Subscriber]] = {}

    def __len__(self) -> int:
        return len(self._subscribers)

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(self._subscribers)

    def join(self, mailbox: Mailbox) -> Subscriber:
        """Add a client that wants nothing yet."""
        subscriber = Subscriber(mailbox)
        self._subscribers.add(subscriber)
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Remove a client; nothing of it stays."""
        self._forget_wishes(subscriber)
        self._subscribers.discard(subscriber)

    def subscribe(self, subscriber: Subscriber, tickers: Iterable[str]) -> None:
        """Add tickers to what a client wants; `*` takes the place of all names."""
        wanted = set(tickers)
        if EVERYTHING in wanted:
            self._forget_wishes(subscriber)
            subscriber.everything = True
            self._of_everything.add(subscriber)
        elif not subscriber.everything:
            subscriber.named |= wanted
            for ticker in wanted:
                self._of_ticker.setdefault(ticker, set()).add(subscriber)

    def unsubscribe(self, subscriber: Subscriber, tickers: Iterable[str]) -> None:
        """Remove tickers from what a client wants (`*`: all of them), and their updates that still wait."""
        unwanted = set(tickers)
        if EVERYTHING in unwanted:
            self._forget_wishes(subscriber)
        else:
            self._forget_names(subscriber, unwanted)
        subscriber.mailbox.drop(subscriber.wants)

    def publish(self, entry: Entry) -> None:
        """Give an update to every client that wants it; nobody waits for anybody."""
        for subscriber in self._of_everything:
            subscriber.mailbox.put(entry)
        for subscriber in self._of_ticker.get(entry.ticker, ()):
            subscriber.mailbox.put(entry)

    def close(self) -> None:
        """End all conversations."""
        self.closing = True
        for subscriber in self._subscribers:
            subscriber.mailbox.close()

    def _forget_wishes(self, subscriber: Subscriber) -> None:
        self._of_everything.discard(subscriber)
        subscriber.everything = False
        self._forget_names(subscriber, set(subscriber.named))

    def _forget_names(self, subscriber: Subscriber, tickers: set[str]) -> None:
        for ticker in tickers & subscriber.named:
            others = self._of_ticker[ticker]
            others.discard(subscriber)
            if not others:
                del self._of_ticker[ticker]
        subscriber.named -= tickers
