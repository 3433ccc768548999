"""The settings that decide what the stage says."""

from dataclasses import dataclass
from functools import cached_property

from schemas.times import Interval, interval_ns


@dataclass(frozen=True, kw_only=True)
class StageRules:
    """What decides, beside the log, which bars and features come out.

    Attributes:
        partitions: Of `ticks`: a tick must be on its ticker's own.
        lateness_ns: How long after its end a bar waits for late ticks of its ticker, in event time.
        early_ns: How far a tick may run ahead of its source's newest tick and watermark; None: as far as it likes.
    """

    interval: Interval
    partitions: int
    lateness_ns: int = 0
    early_ns: int | None = None

    @cached_property
    def length_ns(self) -> int:
        """Give the length of a bar."""
        return interval_ns(self.interval)
