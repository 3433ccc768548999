"""What was sent in the last minute, for clients that come back."""

from collections import deque
from collections.abc import Mapping

from gateway.entries import Entry
from schemas.sockets import HELD_SECONDS

_NS = 1_000_000_000


class Held:
    """The newest entries of a stream, whole: of a ticker whose entry is here, every later one is too.

    Bounded by age and by bytes; what goes, goes from the front.
    """

    def __init__(self, maximum_bytes: int, seconds: int = HELD_SECONDS) -> None:
        self._span_ns = seconds * _NS
        self._maximum_bytes = maximum_bytes
        self._bytes = 0
        self._all: deque[tuple[int, Entry]] = deque()
        self._of_ticker: dict[str, deque[Entry]] = {}
        self._gone: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, entry: Entry, recorded_ns: int, now_ns: int) -> None:
        """Hold an entry until it is a minute old, or the room is needed.

        Args:
            recorded_ns: When its record was written.
            now_ns: Wall time.
        """
        self._all.append((recorded_ns, entry))
        self._of_ticker.setdefault(entry.ticker, deque()).append(entry)
        self._bytes += entry.size_bytes
        self.expire(now_ns)

    def expire(self, now_ns: int) -> None:
        """Let go of what is too old or too much."""
        while self._all and (self._bytes > self._maximum_bytes or self._all[0][0] < now_ns - self._span_ns):
            _, entry = self._all.popleft()
            self._bytes -= entry.size_bytes
            self._gone[entry.partition] = entry.seq or 0
            of_ticker = self._of_ticker[entry.ticker]
            of_ticker.popleft()
            if not of_ticker:
                del self._of_ticker[entry.ticker]

    def after(self, ticker: str, seq: int, now_ns: int) -> list[Entry] | None:
        """Give what came after a record; None where that record is no longer held."""
        self.expire(now_ns)
        later: list[Entry] = []
        for entry in reversed(self._of_ticker.get(ticker, ())):
            if entry.seq == seq:
                return later[::-1]
            later.append(entry)
        return None

    def after_positions(self, positions: Mapping[int, int], now_ns: int) -> list[Entry] | None:
        """Give what came after a record of each partition; None where some of it is no longer held."""
        self.expire(now_ns)
        if any(seq > positions.get(partition, -1) for partition, seq in self._gone.items()):
            return None
        return [entry for _, entry in self._all if (entry.seq or 0) > positions.get(entry.partition, -1)]
