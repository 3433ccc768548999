"""Bars played step by step, at their pace."""

from collections.abc import AsyncIterator, Iterable

from ingestor.sources.bar_play import PRICES_PER_BAR
from ingestor.sources.moments import Moment, Position
from ingestor.sources.pace import Pace
from schemas.events import Origin


class PacedSteps:
    """Plays the four steps of bars, without what every partition has.

    While it waits for a step, it repeats its last watermark once a second.

    Args:
        after: What every partition has.
    """

    def __init__(self, pace: Pace, after: Position | None) -> None:
        self._pace = pace
        self._after = after
        self._last: Moment | None = None
        self._marked_ns = 0

    async def play(self, steps: Iterable[list[Moment]]) -> AsyncIterator[Moment]:
        """Play steps; the warm-up without waiting."""
        for step in steps:
            fresh = [moment for moment in step if self._after is None or moment.position > self._after]
            if fresh and fresh[0].origin is not Origin.WARM_UP:
                async for _ in self._pace.step(1 / PRICES_PER_BAR):
                    if self._last is not None and self._marked_ns:
                        position, origin = self._last.position, self._last.origin
                        yield Moment(position=position, origin=origin, watermark_ns=self._marked_ns)
            for moment in fresh:
                yield moment
            self.note(step)

    def note(self, moments: Iterable[Moment]) -> None:
        """Remember what has been said, now or by a run before."""
        for moment in moments:
            self._last = moment
            self._marked_ns = max(self._marked_ns, moment.watermark_ns or 0)
