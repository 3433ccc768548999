"""When a ticker's provisional feature is due: the leading edge at once, then the trailing one."""

import heapq


class Pacer:
    """Let each ticker speak at most once per interval, and never forget its last word."""

    def __init__(self, interval_seconds: float) -> None:
        self._interval = interval_seconds
        self._spoke_at: dict[str, float] = {}
        self._waiting: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def touch(self, ticker: str, now: float) -> bool:
        """Tell whether a ticker that has just changed may speak now; if not, `due` names it when it may.

        Args:
            ticker: It.
            now: A monotonic clock, in seconds.
        """
        if ticker in self._waiting:
            return False
        next_word = self._spoke_at.get(ticker, -self._interval) + self._interval
        if now >= next_word:
            self._spoke_at[ticker] = now
            return True
        self._waiting[ticker] = next_word
        heapq.heappush(self._heap, (next_word, ticker))
        return False

    def due(self, now: float) -> list[str]:
        """Give the tickers whose waiting word is due, each once."""
        tickers = []
        while self._heap and self._heap[0][0] <= now:
            due_at, ticker = heapq.heappop(self._heap)
            if self._waiting.get(ticker) == due_at:  # or it was forgotten meanwhile
                del self._waiting[ticker]
                self._spoke_at[ticker] = now
                tickers.append(ticker)
        return tickers

    def oldest_wait_seconds(self, now: float) -> float:
        """Say for how long, at most, the word that waits longest has waited; 0 where none waits.

        It may be off by tickers that were forgotten meanwhile, until their turn would have come.
        """
        return max(0.0, now - self._heap[0][0] + self._interval) if self._waiting else 0.0

    def forget(self, ticker: str) -> None:
        """Drop a ticker that lives elsewhere now."""
        self._waiting.pop(ticker, None)
        self._spoke_at.pop(ticker, None)
