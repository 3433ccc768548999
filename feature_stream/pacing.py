"""When a ticker's provisional feature is due: the leading edge at once, then the trailing one."""

import heapq
from collections.abc import Iterable


class Pacer:
    """Let each ticker of a partition speak at most once per interval, and never forget its last word."""

    def __init__(self, interval_seconds: float) -> None:
        self._interval = interval_seconds
        self._spoke_at: dict[str, float] = {}
        self._waiting: set[str] = set()
        self._heap: list[tuple[float, str]] = []

    def touch(self, tickers: Iterable[str], now: float) -> list[str]:
        """Give those of the tickers that may speak now; `due` names the others when they may.

        Args:
            tickers: That have just changed, each once.
            now: A monotonic clock, in seconds.
        """
        waiting = self._waiting
        return [ticker for ticker in tickers if ticker not in waiting and self._may_speak(ticker, now)]

    def due(self, now: float) -> list[str]:
        """Give the tickers whose waiting word is due, each once."""
        tickers = []
        while self._heap and self._heap[0][0] <= now:
            _, ticker = heapq.heappop(self._heap)
            self._waiting.remove(ticker)
            self._spoke_at[ticker] = now
            tickers.append(ticker)
        return tickers

    def oldest_wait_seconds(self, now: float) -> float:
        """Say for how long, at most, the word that waits longest has waited; 0 where none waits."""
        return max(0.0, now - self._heap[0][0] + self._interval) if self._heap else 0.0

    def _may_speak(self, ticker: str, now: float) -> bool:
        next_word = self._spoke_at.get(ticker, -self._interval) + self._interval
        if now >= next_word:
            self._spoke_at[ticker] = now
            return True
        self._waiting.add(ticker)
        heapq.heappush(self._heap, (next_word, ticker))
        return False
