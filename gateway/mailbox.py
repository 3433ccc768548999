"""What one client is yet to be sent: bounded, in order, and only the newest once the client is slow."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.entries import Entry
from gateway.messages import Message
from schemas.close_codes import CloseCode

#: Writes a message when the client is ready for it, so that a large snapshot does not wait as text.
Reply = Callable[[], Message]
#: Writes a heartbeat from its number and the updates skipped so far.
Beat = Callable[[int, int], Message]
#: Finals of a slow client that wait; beyond, only the newest of each ticker.
FINALS = 256


def _nothing() -> None: ...


@dataclass(slots=True)
class _Waiting:
    entry: Entry
    packed: bool
    since_s: float


class Mailbox:
    """Replies first, then a heartbeat, then updates.

    Updates go out in order, every one of them, until the oldest has waited too long or `capacity` wait. From then on,
    until all are taken, finals wait in order, and of each ticker only the newest provisional that no final has
    overtaken. A provisional never takes the place of a final.

    Attributes:
        skipped: Updates that a newer one replaced before they were sent.
        closed: Why nothing more goes out; None: it does.
        in_order: Nothing that came before what was taken last was left out, or waits.
    """

    def __init__(self, capacity: int, wake: Callable[[], None] = _nothing) -> None:
        self.skipped = 0
        self.closed: CloseCode | None = None
        self.in_order = True
        self._capacity = capacity
        self._wake = wake
        self._replies: deque[Reply] = deque()
        self._queue: deque[_Waiting] = deque()
        self._conflated = False
        self._finals: deque[_Waiting] = deque()
        self._finals_room = FINALS
        self._newest: OrderedDict[str, _Waiting] = OrderedDict()
        self._beats = 0
        self._beat_due = False
        self._in_hand_since_s: float | None = None
        self._replied_s = 0.0

    def __len__(self) -> int:
        return len(self._replies) + len(self._queue) + len(self._finals) + len(self._newest) + self._beat_due

    @property
    def has_replies(self) -> bool:
        """Tell whether a reply waits."""
        return bool(self._replies)

    @property
    def in_hand(self) -> bool:
        """Tell whether something was taken that is not out yet."""
        return self._in_hand_since_s is not None

    def reply(self, replies: Iterable[Reply]) -> None:
        """Add replies to the client's own message; whoever calls waits until they are taken."""
        self._replies.extend(replies)
        self._wake()

    def put(self, entry: Entry, now_s: float, *, packed: bool = False) -> None:
        """Add an update; conflate where the queue is full.

        Args:
            now_s: The loop's time.
            packed: The client wants msgpack.
        """
        waiting = _Waiting(entry, packed, now_s)
        if self._conflated:
            self._conflate(waiting)
        else:
            self._queue.append(waiting)
            if len(self._queue) > self._capacity:
                self.conflate()
        self._wake()

    def conflate(self) -> None:
        """Keep only what is newest, until all of it is taken."""
        self._conflated = True
        for waiting in self._queue:
            self._conflate(waiting)
        self._queue.clear()

    def _conflate(self, waiting: _Waiting) -> None:
        ticker = waiting.entry.ticker
        overtaken = self._newest.get(ticker)
        self.skipped += overtaken is not None
        if not waiting.entry.final:
            if overtaken is not None:
                waiting.since_s = overtaken.since_s  # the ticker has waited as long
            self._newest[ticker] = waiting
            return
        if overtaken is not None:
            del self._newest[ticker]
        self._finals.append(waiting)
        if len(self._finals) > self._finals_room:
            self._thin_finals()

    def _thin_finals(self) -> None:
        newest = OrderedDict[str, _Waiting]()
        for waiting in self._finals:
            newest.pop(waiting.entry.ticker, None)
            newest[waiting.entry.ticker] = waiting
        self.skipped += len(self._finals) - len(newest)
        self._finals = deque(newest.values())
        self._finals_room = max(FINALS, 2 * len(newest))

    def beat(self) -> None:
        """Ask for a heartbeat; one that was not sent yet is enough."""
        self._beat_due = True
        self._wake()

    def keep(self, wanted: Callable[[str], bool]) -> None:
        """Take out updates of tickers that are not wanted."""
        self._queue = deque(waiting for waiting in self._queue if wanted(waiting.entry.ticker))
        self._finals = deque(waiting for waiting in self._finals if wanted(waiting.entry.ticker))
        for ticker in [ticker for ticker in self._newest if not wanted(ticker)]:
            del self._newest[ticker]

    def close(self, code: CloseCode) -> None:
        """Send nothing more; the first reason stays."""
        if self.closed is None:
            self.closed = code
            self._wake()

    def waited_s(self, now_s: float) -> float:
        """Give how long the oldest unsent message has waited. Behind replies nothing ages: those move, or do not."""
        if self._in_hand_since_s is None and not self._queue and not self._conflated:
            return 0.0
        if self._in_hand_since_s is not None:
            return now_s - self._in_hand_since_s
        heads = [waiting[0].since_s for waiting in (self._queue, self._finals) if waiting]
        if self._newest:
            heads.append(next(iter(self._newest.values())).since_s)
        return now_s - max(min(heads), self._replied_s) if heads else 0.0

    def take(self, maximum_bytes: int, now_s: float, beat: Beat) -> list[Message]:
        """Take messages up to about a size, none once closed. Until `sent`, the oldest of them counts as unsent.

        Args:
            now_s: The loop's time.
            beat: Writes a heartbeat.
        """
        taken: list[Message] = []
        size = 0
        self.in_order = not self._conflated
        if self.closed is None and (self._replies or self._queue or self._conflated or self._beat_due):
            self._in_hand_since_s = now_s if self._replies else now_s - self.waited_s(now_s)
            while size < maximum_bytes and (message := self._next(now_s, beat)) is not None:
                taken.append(message)
                size += len(message.frame)
            self._conflated = self._conflated and bool(self._finals or self._newest)
        return taken

    def sent(self) -> bool:
        """Take note that what was taken is out; tell whether more waits."""
        self._in_hand_since_s = None
        return bool(self._queue or self._conflated or self._replies or self._beat_due)

    def _next(self, now_s: float, beat: Beat) -> Message | None:
        if self._replies:
            self._replied_s = now_s
            return self._replies.popleft()()
        if self._beat_due:
            self._beat_due = False
            self._beats += 1
            return beat(self._beats, self.skipped)
        if self._queue:
            waiting = self._queue.popleft()
        elif self._finals:
            waiting = self._finals.popleft()
        elif self._newest:
            waiting = self._newest.popitem(last=False)[1]
        else:
            return None
        return waiting.entry.message(packed=waiting.packed)
