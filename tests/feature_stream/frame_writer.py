"""Writes a log of `ticks` as sources do: frames with dense sequences, and watermarks that hold."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import cycle

import numpy as np
from msgspec.structs import replace

from schemas.events import Origin, TickFrame
from tests.feature_stream.runs import Tick, frame

DAY = 86_400.0
SOURCES = ("one", "two")
#: Closed bars after which every feature is there, with some to spare.
HISTORY_BARS = 38


class FrameWriter:
    """A log, and how far its sources are."""

    def __init__(self) -> None:
        self.frames: list[TickFrame] = []
        self.sequences: dict[str, int] = {}

    def send(
        self,
        ticks: Iterable[Tick] = (),
        *,
        source: str = "one",
        watermark: float | None = None,
        origin: Origin = Origin.NORMAL,
        lost_before: float | None = None,
    ) -> None:
        """Write a source's next frame."""
        self.resend(frame(ticks, source=source, watermark=watermark, origin=origin, lost_before=lost_before))

    def resend(self, one: TickFrame) -> None:
        """Write what another frame says under its source's next sequence."""
        sequence = self.sequences[one.source] = self.sequences.get(one.source, -1) + 1
        self.frames.append(replace(one, sequence=sequence, ingested_at_ns=1_000 + len(self.frames)))

    def send_all(
        self, ticks: Sequence[Tick], sizes: Sequence[int], marked: Sequence[bool] = (False,), source: str = "one"
    ) -> None:
        """Cut ticks into frames of these sizes; marked ones end with a watermark: nothing older follows."""
        rest, sized, marks = list(ticks), cycle(sizes), cycle(marked)
        while rest:
            size = next(sized)
            part, rest = rest[:size], rest[size:]
            oldest = min((tick[1] for tick in rest), default=max(tick[1] for tick in ticks))
            self.send(part, source=source, watermark=oldest if next(marks) else None)

    def write_history(self, seconds: float = 1.0) -> None:
        """Write bars of so many seconds before midnight; the last stays open."""
        self.send(_history(seconds))


@cache
def _history(seconds: float) -> list[Tick]:
    random = np.random.default_rng(5)
    names, parts = "ABC", (0.125, 0.25, 0.5, 0.875)
    prices = np.round(random.uniform(20, 60, (HISTORY_BARS, len(names), len(parts))) * 4) / 4
    return [
        (name, (bar - HISTORY_BARS + part) * seconds, float(prices[bar, number, place]), 1.0 + (bar + place) % 5)
        for bar in range(HISTORY_BARS)
        for place, part in enumerate(parts)
        for number, name in enumerate(names)
    ]
