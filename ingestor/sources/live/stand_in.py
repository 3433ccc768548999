"""Made-up prices in the place of a live market's, where a setting asks for them."""

from collections.abc import Mapping
from typing import NamedTuple

from ingestor.sources.simulated import Schedule
from ingestor.sources.walks import SimulatedOptions, TickColumns, Walks

#: Ticks a second of each ticker.
_RATE = 1.0


class MadeUp(NamedTuple):
    """Ticks as columns, and the time before which there will be no more."""

    columns: TickColumns
    times_ns: list[int]
    mark_ns: int | None


class StandIn:
    """Random walks from the last prices, once all providers have been away for a while.

    Args:
        after_ns: So long; None: never.
    """

    def __init__(self, after_ns: int | None) -> None:
        self._after_ns = after_ns
        self._away_ns: int | None = None
        self._walks: Walks | None = None
        self._schedule: Schedule | None = None

    @property
    def plays(self) -> bool:
        """Tell whether prices are made up now."""
        return self._walks is not None

    def is_due(self, now_ns: int) -> bool:
        """Note that all are away; tell whether they have been for long enough, and it is not yet playing."""
        if self._away_ns is None:
            self._away_ns = now_ns
        return not self.plays and self._after_ns is not None and now_ns - self._away_ns >= self._after_ns

    def begin(self, prices: Mapping[str, float], seed: int, now_ns: int) -> None:
        """Begin at last prices.

        Args:
            prices: By ticker, one at least.
        """
        rate = _RATE * len(prices)
        self._walks = Walks(SimulatedOptions(tuple(prices), rate, seed, ""), 0, dict(prices))
        self._schedule = Schedule(now_ns, rate)

    def take(self, now_ns: int) -> MadeUp:
        """Give what is due."""
        if self._walks is None or self._schedule is None:
            raise ValueError("it does not play")
        times_ns = self._schedule.due(now_ns)
        return MadeUp(self._walks.ticks(len(times_ns)), times_ns, self._schedule.mark(now_ns))

    def end(self) -> None:
        """Note that somebody is back."""
        self._away_ns = self._walks = self._schedule = None
