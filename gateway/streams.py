"""The streams that clients follow: what is newest, what was sent lately, and who listens."""

import re
from typing import Generic, TypeVar

from gateway.entries import Entry
from gateway.held import Held
from gateway.hub import Audience
from gateway.latest import LatestBars, LatestView, View

_is_places = re.compile(r"(\d{1,9}:\d{1,18}(,\d{1,9}:\d{1,18})*)?").fullmatch

AnyView = TypeVar("AnyView", bound=View)


class Stream(Generic[AnyView]):
    """One topic's.

    Attributes:
        view: The newest entry of each ticker.
        epoch: Names the topic's incarnation; empty before it is known.
        newest_ns: When the newest record was written; None before the first.
    """

    def __init__(self, view: AnyView, held_bytes: int) -> None:
        self.view = view
        self.held = Held(held_bytes)
        self.audience = Audience()
        self.epoch = ""
        self.newest_ns: int | None = None
        self._positions: dict[int, int] = {}

    @property
    def mark(self) -> str:
        """Give where the stream stands, for `after_mark`: its epoch, and the newest offset of each partition."""
        places = ",".join([f"{partition}:{offset}" for partition, offset in sorted(self._positions.items())])
        return f"{self.epoch}/{places}"

    def publish(self, entry: Entry, partition: int, *, recorded_ns: int, now_ns: int, now_s: float) -> None:
        """Hold an entry that the view has taken, and give it to every client that wants it.

        Args:
            entry: With a place in the log.
            partition: Of its record.
            recorded_ns: When its record was written.
            now_ns: Wall time.
            now_s: The loop's time.
        """
        self.newest_ns = max(recorded_ns, self.newest_ns or 0)
        self._positions[partition] = entry.seq or 0
        entry.partition = partition
        entry.mark = self.mark
        self.held.add(entry, recorded_ns, now_ns)
        self.audience.publish(entry, now_s)

    def age_seconds(self, now_ns: int) -> float | None:
        """Give the age of the newest record."""
        return None if self.newest_ns is None else max(0.0, (now_ns - self.newest_ns) / 1e9)

    def after(self, ticker: str, seq: int, now_ns: int) -> list[Entry] | None:
        """Give what came after a record of a ticker; None where that record is no longer held."""
        newest = self.view.get(ticker)
        if newest is not None and newest.seq == seq:
            return []
        return self.held.after(ticker, seq, now_ns)

    def after_mark(self, mark: str, now_ns: int) -> list[Entry] | None:
        """Give what came after a mark; None where it is none of this epoch, or not all of it is held any more."""
        epoch, _, places = mark.rpartition("/")
        if epoch != self.epoch or not _is_places(places):
            return None
        positions = (place.split(":") for place in places.split(",") if place)
        return self.held.after_positions({int(partition): int(offset) for partition, offset in positions}, now_ns)


PredictionStream = Stream[LatestView]
BarStream = Stream[LatestBars]
