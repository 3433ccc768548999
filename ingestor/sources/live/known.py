"""Ticks that came already."""

from ingestor.sources.live.provider import LiveTick


class KnownTicks:
    """Remembers the last ticks by what their provider knows them by.

    Args:
        size: How many.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: dict[tuple[str, int | str], None] = {}

    def came_before(self, tick: LiveTick) -> bool:
        """Tell whether a tick came already, and remember it."""
        if tick.identity is None:
            return False
        key = (tick.ticker, tick.identity)
        if key in self._known:
            return True
        self._known[key] = None
        if len(self._known) > self._size:
            del self._known[next(iter(self._known))]
        return False
