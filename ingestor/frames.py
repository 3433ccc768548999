"""Moments into frames: ticks gathered by partition, numbered densely, each frame with its position."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ingestor.sources.moments import Moment, Position
from schemas.events import Origin, TickFrame
from schemas.partitioning import partition_of

#: Below every position of a moment.
NOTHING: Position = (0,)


class ResumePoint(NamedTuple):
    """Where a partition resumes: the next sequence, and what it has already (None: nothing)."""

    sequence: int = 0
    position: Position | None = None


class NumberedFrame(NamedTuple):
    """A frame and its partition."""

    partition: int
    frame: TickFrame


class FrameBuilder:
    """Gathers ticks until a frame is full, a watermark ends it, or the caller takes what is there.

    Args:
        source: The name on every frame.
        starts: By partition.
        frame_ticks: Ticks in a frame, at most.
        write_position: Gives the text of a position.
    """

    def __init__(
        self, source: str, starts: Sequence[ResumePoint], frame_ticks: int, write_position: Callable[[Position], str]
    ) -> None:
        self._frame_ticks = frame_ticks
        self._partitions = [_Partition(number, source, start) for number, start in enumerate(starts)]
        self._write_position = write_position
        positions = [start.position or NOTHING for start in starts]
        self._newest = min(positions)

    @property
    def pending(self) -> bool:
        """Tell whether ticks wait for their frame."""
        return any(partition.tickers for partition in self._partitions)

    def add(self, moment: Moment, now_ns: int) -> list[NumberedFrame]:
        """Take a moment in and give the frames that are complete. A partition passes over what it has."""
        complete: list[NumberedFrame] = []
        partitions = self._partitions
        count = len(partitions)
        origin, provider = moment.origin, moment.provider
        rows = zip(moment.tickers, moment.times_ns, moment.prices, moment.sizes, strict=True)
        for ticker, time_ns, price, size in rows:
            partition = partitions[partition_of(ticker, count)]
            if partition.has(moment.position):
                continue
            full = len(partition.tickers) >= self._frame_ticks
            if full or partition.origin is not origin or partition.provider != provider:
                complete += self._close(partition)
                partition.begin(moment, now_ns)
            partition.append(ticker, time_ns, price, size, now_ns)
        if moment.rescaled:
            complete += self.take()
        self._newest = max(self._newest, moment.position)
        if moment.lost_before_ns is not None:
            complete += self._lose(moment, moment.lost_before_ns, now_ns)
        if moment.rescaled:
            complete += self._rescale(moment, now_ns)
        if moment.watermark_ns is not None:
            complete += self._mark(moment, moment.watermark_ns, now_ns)
        return complete

    def take(self) -> list[NumberedFrame]:
        """Give what is there, complete or not."""
        return [frame for partition in self._partitions for frame in self._close(partition)]

    def _close(self, partition: "_Partition") -> list[NumberedFrame]:
        if not partition.tickers:
            return []
        return [partition.close(self._write_position(self._newest))]

    def _lose(self, moment: Moment, before_ns: int, now_ns: int) -> list[NumberedFrame]:
        """Tell every partition of a gap, after what it has before it."""
        position = self._write_position(self._newest)
        frames = []
        for partition in self._partitions:
            if partition.has(moment.position):
                continue
            frames += self._close(partition)
            partition.begin(moment, now_ns)
            frames.append(partition.close(position, lost_before_ns=before_ns))
        return frames

    def _rescale(self, moment: Moment, now_ns: int) -> list[NumberedFrame]:
        """Give the frames that tell of splits, each on the partition of its tickers."""
        position, count = self._write_position(self._newest), len(self._partitions)
        frames = []
        for number, partition in enumerate(self._partitions):
            own = {name: factor for name, factor in moment.rescaled.items() if partition_of(name, count) == number}
            if own and not partition.has(moment.position):
                partition.begin(moment, now_ns)
                frames.append(partition.close(position, rescaled=own))
        return frames

    def _mark(self, moment: Moment, watermark_ns: int, now_ns: int) -> list[NumberedFrame]:
        position = self._write_position(self._newest)
        frames = []
        for partition in self._partitions:
            if partition.has(moment.position):
                continue
            if not partition.tickers:
                partition.begin(moment, now_ns)
            frames.append(partition.close(position, watermark_ns=watermark_ns))
        return frames


class _Partition:
    """The open frame of one partition."""

    def __init__(self, number: int, source: str, start: ResumePoint) -> None:
        self._number = number
        self._source = source
        self._sequence = start.sequence
        self._after = start.position
        self.origin = Origin.NORMAL
        self.provider = ""
        self._clear()

    def _clear(self) -> None:
        self.tickers: list[str] = []
        self._times_ns: list[int] = []
        self._prices: list[float] = []
        self._sizes: list[float] = []
        self.ingested_at_ns = 0

    def has(self, position: Position) -> bool:
        return self._after is not None and position <= self._after

    def begin(self, moment: Moment, now_ns: int) -> None:
        self.origin, self.provider, self.ingested_at_ns = moment.origin, moment.provider, now_ns

    def append(self, ticker: str, time_ns: int, price: float, size: float, now_ns: int) -> None:
        self.tickers.append(ticker)
        self._times_ns.append(time_ns)
        self._prices.append(price)
        self._sizes.append(size)
        self.ingested_at_ns = now_ns

    def close(
        self,
        position: str,
        *,
        watermark_ns: int | None = None,
        lost_before_ns: int | None = None,
        rescaled: dict[str, float] | None = None,
    ) -> NumberedFrame:
        frame = TickFrame(
            source=self._source,
            sequence=self._sequence,
            position=position,
            tickers=self.tickers,
            times_ns=self._times_ns,
            prices=self._prices,
            sizes=self._sizes,
            ingested_at_ns=self.ingested_at_ns,
            origin=self.origin,
            watermark_ns=watermark_ns,
            provider=self.provider,
            lost_before_ns=lost_before_ns,
            rescaled=rescaled or {},
        )
        self._sequence += 1
        self._clear()
        return NumberedFrame(self._number, frame)
