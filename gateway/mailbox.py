"""What one client is yet to be sent: bounded, and only the latest per ticker once the client is slow."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

import msgspec

from gateway.latest import Entry
from schemas.sockets import Heartbeat

#: A message to a client: its type, and its text.
Outgoing = tuple[str, str]
#: Writes a message when the client is ready for it, so that a large snapshot does not wait as text.
Reply = Callable[[], Outgoing]


def _nothing() -> None: ...


class Mailbox:
    """Replies first, then a heartbeat, then updates.

    Updates go out in order, every one of them, while fewer than `capacity` wait. From there on only the
    latest of each ticker waits (the others are counted in `skipped`), until the client has taken them all.

    Attributes:
        skipped: Updates that a newer one replaced before they were sent.
        closed: Nothing more goes out.
    """

    def __init__(self, capacity: int, wake: Callable[[], None] = _nothing) -> None:
        self.skipped = 0
        self.closed = False
        self._capacity = capacity
        self._wake = wake
        self._replies: deque[Reply] = deque()
        self._queue: deque[Entry] = deque()
        self._latest: OrderedDict[str, Entry] = OrderedDict()
        self._beats = 0
        self._beat_due = False

    def __len__(self) -> int:
        return len(self._replies) + len(self._queue) + len(self._latest) + self._beat_due

    @property
    def has_replies(self) -> bool:
        """Tell whether a reply waits."""
        return bool(self._replies)

    def reply(self, replies: Iterable[Reply]) -> None:
        """Add replies to the client's own message; whoever calls waits until they are taken."""
        self._replies.extend(replies)
        self._wake()

    def put(self, entry: Entry) -> None:
        """Add an update; conflate where the queue is full."""
        if self._latest:
            self._conflate(entry)
        elif len(self._queue) < self._capacity:
            self._queue.append(entry)
        else:
            for waiting in (*self._queue, entry):
                self._conflate(waiting)
            self._queue.clear()
        self._wake()

    def _conflate(self, entry: Entry) -> None:
        self.skipped += entry.ticker in self._latest
        self._latest[entry.ticker] = entry

    def beat(self) -> None:
        """Ask for a heartbeat; one that was not sent yet is enough."""
        self._beat_due = True
        self._wake()

    def drop(self, wanted: Callable[[str], bool]) -> None:
        """Take out updates of tickers that the client no longer wants."""
        self._queue = deque(entry for entry in self._queue if wanted(entry.ticker))
        self._latest = OrderedDict((ticker, entry) for ticker, entry in self._latest.items() if wanted(ticker))

    def close(self) -> None:
        """Send nothing more."""
        self.closed = True
        self._wake()

    def take(self, limit: int, timestamp: Callable[[], str]) -> list[Outgoing]:
        """Take up to `limit` messages, or one where replies wait, for they may be large; none once closed.

        Args:
            timestamp: Gives the time that a heartbeat says.
        """
        if self._replies and not self.closed:
            return [self._replies.popleft()()]
        taken: list[Outgoing] = []
        while len(taken) < limit and len(self) and not self.closed:
            taken.append(self._next(timestamp))
        return taken

    def _next(self, timestamp: Callable[[], str]) -> Outgoing:
        if self._beat_due:
            self._beat_due = False
            self._beats += 1
            beat = Heartbeat(count=self._beats, skipped=self.skipped, timestamp=timestamp())
            return "heartbeat", msgspec.json.encode(beat).decode()
        entry = self._queue.popleft() if self._queue else self._latest.popitem(last=False)[1]
        return "prediction", entry.message
