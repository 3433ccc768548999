"""The last closes of tickers: those recorded, carried on by what is live. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.public import PastBar
from schemas.sockets import StreamedPrediction

KEPT = 40


@dataclass
class _Line:
    last_index: int = -1
    closes: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))


class Closes:
    """Of all tickers that were asked about."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def unknown(self, tickers: Iterable[str]) -> list[str]:
        """Give those that were not asked about yet."""
        return [ticker for ticker in tickers if ticker not in self._lines]

    def fill(self, ticker: str, bars: Iterable[PastBar]) -> None:
        """Take what is recorded of a ticker, which may be nothing: then its line begins now."""
        line = _Line()
        for bar in bars:
            line.last_index = bar.bar_index
            line.closes.append(bar.close)
        self._lines[ticker] = line

    def note(self, prediction: StreamedPrediction) -> None:
        """Take the close of a bar from the prediction made of it."""
        line = self._lines.get(prediction.ticker)
        if line is None or prediction.provisional or prediction.bar_index <= line.last_index:
            return
        line.last_index = prediction.bar_index
        line.closes.append(prediction.current_price)

    def line(self, prediction: StreamedPrediction) -> list[float]:
        """Give the closes of a ticker, oldest first, with its live price at the end."""
        line = self._lines.get(prediction.ticker)
        closes = [] if line is None else list(line.closes)
        return [*closes, prediction.current_price] if prediction.provisional else closes

    def clear(self) -> None:
        """Forget everything."""
        self._lines.clear()
