"""The rules of time, once more: slow, without frames, floors or snapshots, straight from the design's words."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.events import TickFrame

#: Start, open, high, low, close, volume, ticks.
PlainBar = tuple[int, float, float, float, float, float, int]


@dataclass
class _Ticker:
    """Accepted ticks of one ticker: (time, arrival, price, size)."""

    ticks: list[tuple[int, int, float, float]] = field(default_factory=list)
    closed: list[PlainBar] = field(default_factory=list)
    closed_starts: set[int] = field(default_factory=set)
    source: str = ""

    @property
    def newest_ns(self) -> int:
        return max(tick[0] for tick in self.ticks)


class Reference:
    """Bars and bad ticks of a whole log."""

    def __init__(self, length_ns: int, lateness_ns: int, early_ns: int | None) -> None:
        self.length_ns, self.lateness_ns, self.early_ns = length_ns, lateness_ns, early_ns
        self.tickers: dict[str, _Ticker] = {}
        self.sequences: dict[str, int] = {}
        self.watermarks: dict[str, int] = {}
        self.newest: dict[str, int] = {}
        self.bad: list[tuple[int, int, str]] = []
        self.arrivals = 0

    def take(self, offset: int, frame: TickFrame) -> None:
        if frame.sequence <= self.sequences.get(frame.source, -1):
            return
        self.sequences[frame.source] = frame.sequence
        ticks = zip(frame.tickers, frame.times_ns, frame.prices, frame.sizes, strict=True)
        for index, (ticker, time_ns, price, size) in enumerate(ticks):
            reason = self._reason(frame.source, ticker, time_ns)
            if reason != "early":
                self.newest[frame.source] = max(time_ns, self.newest.get(frame.source, time_ns))
            if reason:
                self.bad.append((offset, index, reason))
            else:
                self._accept(frame.source, ticker, (time_ns, self.arrivals, price, size))
            self.arrivals += 1
        if frame.watermark_ns is not None:
            self._watermark(frame.source, frame.watermark_ns)

    def bars(self) -> dict[str, list[PlainBar]]:
        return {name: ticker.closed for name, ticker in self.tickers.items()}

    def _reason(self, source: str, name: str, time_ns: int) -> str | None:
        known = [times[source] for times in (self.newest, self.watermarks) if source in times]
        if self.early_ns is not None and known and time_ns > max(known) + self.early_ns:
            return "early"
        end_ns = self._start(time_ns) + self.length_ns
        if source in self.watermarks and end_ns <= self.watermarks[source]:
            return "late"
        ticker = self.tickers.get(name)
        if ticker is None:
            return None
        passed = end_ns + self.lateness_ns <= ticker.newest_ns
        behind = any(start >= self._start(time_ns) for start in ticker.closed_starts)
        return "late" if passed or behind else None

    def _accept(self, source: str, name: str, tick: tuple[int, int, float, float]) -> None:
        ticker = self.tickers.setdefault(name, _Ticker())
        ticker.ticks.append(tick)
        ticker.source = source
        self._close(ticker, ticker.newest_ns - self.lateness_ns)

    def _watermark(self, source: str, watermark_ns: int) -> None:
        for ticker in self.tickers.values():
            if ticker.source == source:
                self._close(ticker, watermark_ns)
        self.watermarks[source] = max(watermark_ns, self.watermarks.get(source, watermark_ns))

    def _close(self, ticker: _Ticker, through_ns: int) -> None:
        for start in sorted({self._start(tick[0]) for tick in ticker.ticks} - ticker.closed_starts):
            if start + self.length_ns <= through_ns:
                ticker.closed_starts.add(start)
                ticker.closed.append(_fold(start, [tick for tick in ticker.ticks if self._start(tick[0]) == start]))

    def _start(self, time_ns: int) -> int:
        return time_ns // self.length_ns * self.length_ns


def _fold(start: int, ticks: Iterable[tuple[int, int, float, float]]) -> PlainBar:
    by_arrival = list(ticks)
    prices = [tick[2] for tick in by_arrival]
    first_time, last_time = min(tick[0] for tick in by_arrival), max(tick[0] for tick in by_arrival)
    opened = next(tick[2] for tick in by_arrival if tick[0] == first_time)
    closed = [tick[2] for tick in by_arrival if tick[0] == last_time][-1]
    volume = 0.0
    for tick in by_arrival:
        volume += tick[3]
    return start, opened, max(prices), min(prices), closed, volume, len(by_arrival)
