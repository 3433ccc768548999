"""The last closed bars of one ticker."""

from math import log
from typing import Protocol

from msgspec import Struct

from schemas.features import WINDOW_BARS


class Priced(Protocol):
    """A bar of any kind: open, closed, or a caller's own."""

    @property
    def open(self) -> float:
        """First price."""

    @property
    def high(self) -> float:
        """Highest price."""

    @property
    def low(self) -> float:
        """Lowest price."""

    @property
    def close(self) -> float:
        """Last price."""

    @property
    def volume(self) -> float:
        """Units traded."""


class Window(Struct, array_like=True):
    """Up to `WINDOW_BARS` bars, oldest first, as columns of equal length.

    Attributes:
        log_returns: Close to close; one shorter than the other columns.
        count: Bars pushed so far, those that have left the window included.
    """

    opens: list[float] = []
    highs: list[float] = []
    lows: list[float] = []
    closes: list[float] = []
    volumes: list[float] = []
    log_returns: list[float] = []
    count: int = 0

    def push(self, bar: Priced) -> None:
        """Append a bar; the oldest leaves when the window is full."""
        close = bar.close
        if self.closes:
            self.log_returns.append(log(close / self.closes[-1]))
        self.opens.append(bar.open)
        self.highs.append(bar.high)
        self.lows.append(bar.low)
        self.closes.append(close)
        self.volumes.append(bar.volume)
        self.count += 1
        if len(self.closes) > WINDOW_BARS:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        del self.opens[0], self.highs[0], self.lows[0], self.closes[0], self.volumes[0], self.log_returns[0]

    def recent(self, bars: int) -> "Window":
        """Give a window of the last bars that can be pushed without changing this one."""
        return Window(
            self.opens[-bars:],
            self.highs[-bars:],
            self.lows[-bars:],
            self.closes[-bars:],
            self.volumes[-bars:],
            self.log_returns[-bars:],
            self.count,
        )
