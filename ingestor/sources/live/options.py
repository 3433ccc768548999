"""How a live source is played."""

import msgspec

from schemas.times import Interval


class LiveOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a live source is played.

    Attributes:
        interval: Of the bars that the stage makes.
        warm_up_bars: Before a first start.
        longest_fill_days: Of a longer gap, only so much before now is filled.
        return_seconds: A better provider must be heard for so long before it comes back.
        fall_back_seconds: So long after all are away, prices are made up; None: never.
    """

    interval: Interval
    warm_up_bars: int
    longest_fill_days: float
    return_seconds: float = 60.0
    fall_back_seconds: float | None = None
