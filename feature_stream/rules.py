"""The settings that decide what the stage says."""

from dataclasses import dataclass
from functools import cached_property

from msgspec import Struct

from schemas.times import NS_PER_MILLISECOND, Interval, interval_ns


class KeptRules(Struct, frozen=True, array_like=True):
    """The rules that a log's kept state was made with; under others one id would get a second content."""

    interval: Interval
    lateness_ns: int
    early_ns: int | None

    def settings(self) -> dict[str, str]:
        """Give them as people set them."""
        early_ms = "" if self.early_ns is None else str(self.early_ns // NS_PER_MILLISECOND)
        return {
            "TICKCAST_INTERVAL": self.interval,
            "TICKCAST_LATENESS_MS": str(self.lateness_ns // NS_PER_MILLISECOND),
            "TICKCAST_EARLY_MS": early_ms,
        }


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

    @cached_property
    def kept(self) -> KeptRules:
        """Give what must stay the same for all of a log."""
        return KeptRules(self.interval, self.lateness_ns, self.early_ns)
