"""Ticks that came already."""

from ingestor.sources.live.provider import LiveTick
from schemas.times import interval_ns

_DAY_NS = interval_ns("1d")


class KnownTicks:
    """Remembers the last ticks by what their provider knows them by, which may be given again on another day.

    Args:
        size: How many.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: dict[tuple[str, int, int | str], None] = {}

    def came_before(self, tick: LiveTick) -> bool:
        """Tell whether a tick came already, and remember it."""
        if tick.identity is None:
            return False
        key = (tick.ticker, tick.time_ns // _DAY_NS, tick.identity)
        if key in self._known:
            return True
        self._known[key] = None
        if len(self._known) > self._size:
            del self._known[next(iter(self._known))]
        return False
