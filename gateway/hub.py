"""Who gets what, and who is too slow."""

from collections.abc import Iterable, Iterator

from gateway.entries import Entry
from gateway.mailbox import Mailbox
from gateway.wishes import PLAIN, Options, Wish
from schemas.close_codes import CloseCode

EVERYTHING = "*"


class Subscriber:
    """One client: what it wants, and what it is yet to be sent.

    Attributes:
        everything: How it wants all tickers; None: it names those that it wants.
        named: How it wants each ticker that it named.
        beat_at_s: When its next heartbeat is due, in the loop's time; None: it gets none.
    """

    def __init__(self, mailbox: Mailbox, beat_at_s: float | None = None) -> None:
        self.mailbox = mailbox
        self.everything: Wish | None = None
        self.named: dict[str, Wish] = {}
        self.beat_at_s = beat_at_s

    def wish(self, ticker: str) -> Wish | None:
        """Tell how updates of a ticker go to this client; None: not at all."""
        return self.everything or self.named.get(ticker)

    def gets(self, ticker: str, options: Options) -> bool:
        """Tell whether it named a ticker, or `*`, with just these options."""
        wish = self.everything if ticker == EVERYTHING else self.named.get(ticker)
        return wish is not None and wish.options == options

    def wants(self, ticker: str) -> bool:
        """Tell whether updates of a ticker go to this client."""
        return self.everything is not None or ticker in self.named

    def listed(self) -> list[str]:
        """Give the whole list of what it wants; `["*"]` is everything."""
        return [EVERYTHING] if self.everything else sorted(self.named)

    def wishes(self) -> set[Wish]:
        """Give all that it wants, once each."""
        return {self.everything} if self.everything else set(self.named.values())


class Audience:
    """All clients of one stream, by what they want. One thread uses it."""

    def __init__(self) -> None:
        self._of_everything: dict[Subscriber, Wish] = {}
        self._of_ticker: dict[str, dict[Subscriber, Wish]] = {}
        self._paced: set[Subscriber] = set()

    def subscribe(self, subscriber: Subscriber, tickers: Iterable[str], options: Options = PLAIN) -> None:
        """Add tickers to what a client wants; `*` takes the place of all names, new options that of old ones.

        What is wanted so already goes on as it was, with the update that waits for its `max_rate`.
        """
        wish = Wish(options)
        wanted = {ticker for ticker in tickers if not subscriber.gets(ticker, options)}
        if EVERYTHING in wanted:
            self.leave(subscriber)
            subscriber.everything = wish
            self._of_everything[subscriber] = wish
        elif subscriber.everything is None:
            for ticker in wanted:
                self._forget(subscriber, ticker)
                subscriber.named[ticker] = wish
                self._of_ticker.setdefault(ticker, {})[subscriber] = wish
        self._note_pace(subscriber)

    def unsubscribe(self, subscriber: Subscriber, tickers: Iterable[str]) -> None:
        """Remove tickers from what a client wants (`*`: all of them), and their updates that still wait."""
        unwanted = set(tickers)
        if EVERYTHING in unwanted:
            self.leave(subscriber)
        else:
            for ticker in unwanted:
                self._forget(subscriber, ticker)
        self._note_pace(subscriber)
        subscriber.mailbox.keep(subscriber.wants)

    def leave(self, subscriber: Subscriber) -> None:
        """Let a client want nothing; nothing of it stays."""
        self._of_everything.pop(subscriber, None)
        self._paced.discard(subscriber)
        subscriber.everything = None
        for ticker in list(subscriber.named):
            self._forget(subscriber, ticker)

    def publish(self, entry: Entry, now_s: float) -> None:
        """Give an update to every client that wants it; nobody waits for anybody."""
        for audience in (self._of_everything, self._of_ticker.get(entry.ticker)):
            for subscriber, wish in audience.items() if audience else ():
                if wish.options is PLAIN or wish.offer(entry, now_s):
                    subscriber.mailbox.put(entry, now_s, packed=wish.options.packed)

    def wanted(self, ticker: str) -> bool:
        """Tell whether anybody wants a ticker."""
        return bool(self._of_everything) or ticker in self._of_ticker

    def release(self, now_s: float) -> None:
        """Send what waited for its `max_rate`."""
        for subscriber in self._paced:
            for wish in subscriber.wishes():
                for entry in wish.due(now_s):
                    subscriber.mailbox.put(entry, now_s, packed=wish.options.packed)

    def _forget(self, subscriber: Subscriber, ticker: str) -> None:
        wish = subscriber.named.pop(ticker, None)
        if wish is None:
            return
        wish.forget(ticker)
        others = self._of_ticker[ticker]
        del others[subscriber]
        if not others:
            del self._of_ticker[ticker]

    def _note_pace(self, subscriber: Subscriber) -> None:
        if any(wish.options.max_rate is not None for wish in subscriber.wishes()):
            self._paced.add(subscriber)
        else:
            self._paced.discard(subscriber)


class Hub:
    """All clients of all streams."""

    def __init__(self) -> None:
        self._closing_code: CloseCode | None = None
        self._audiences: dict[Subscriber, Audience] = {}

    def __len__(self) -> int:
        return len(self._audiences)

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(self._audiences)

    @property
    def closing(self) -> bool:
        """Tell whether the gateway stops, and nobody may join."""
        return self._closing_code is not None

    def join(self, audience: Audience, mailbox: Mailbox, beat_at_s: float | None = None) -> Subscriber:
        """Add a client that wants nothing yet."""
        subscriber = Subscriber(mailbox, beat_at_s)
        self._audiences[subscriber] = audience
        if self._closing_code is not None:
            mailbox.close(self._closing_code)
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Remove a client; nothing of it stays."""
        self._audiences.pop(subscriber).leave(subscriber)

    def release(self, now_s: float) -> None:
        """Send what waited for its `max_rate`."""
        for audience in set(self._audiences.values()):
            audience.release(now_s)

    def sweep(self, now_s: float, *, heartbeat_s: float, conflate_after_s: float, close_after_s: float) -> None:
        """Look after every client: ask for heartbeats, conflate who is slow, close who is too slow.

        Args:
            now_s: The loop's time.
            heartbeat_s: Between two heartbeats.
            conflate_after_s: That a message may wait before only what is newest is sent.
            close_after_s: That a message may wait before the client is closed.
        """
        for subscriber in self._audiences:
            waited_s = subscriber.mailbox.waited_s(now_s)
            if waited_s >= close_after_s:
                subscriber.mailbox.close(CloseCode.TOO_SLOW)
            elif waited_s >= conflate_after_s:
                subscriber.mailbox.conflate()
            if subscriber.beat_at_s is not None and now_s >= subscriber.beat_at_s:
                subscriber.beat_at_s = now_s + heartbeat_s
                subscriber.mailbox.beat()

    def close(self, code: CloseCode = CloseCode.GOING_AWAY) -> None:
        """End all conversations; the first reason stays."""
        self._closing_code = self._closing_code or code
        for subscriber in list(self._audiences):
            subscriber.mailbox.close(self._closing_code)
