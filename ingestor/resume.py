"""Where the log ends for a source: every partition read back to its last frame, and to the prices it resumes from."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from ingestor.frames import ResumePoint
from ingestor.positions import PositionText
from schemas.codec import UndecodableError, decoder
from schemas.dead_letters import REPLAY_SOURCE
from schemas.errors import StopAndSayError
from schemas.events import Tick
from schemas.partitioning import partition_of
from schemas.times import NS_PER_SECOND

_log = logging.getLogger(__name__)

#: Records read back from the end of a partition, at first; each further piece is four times as long.
_FIRST_CHUNK = 32
_LARGEST_CHUNK = 2_048
#: So far a partition is read back for prices or ticks, beyond its last frame.
_MOST_RECORDS_BACK = 20_000
#: A tick's time may be so far ahead of the clock that stands on its frame.
_FUTURE_NS = 120 * NS_PER_SECOND


class FrameEnd(Struct, frozen=True):
    """What resuming needs of a frame."""

    source: str
    sequence: int
    position: str
    tickers: list[str] = []
    times_ns: list[int] = []
    prices: list[float] = []
    sizes: list[float] = []
    ingested_at_ns: int = 0
    rescaled: dict[str, float] = {}


class KeptLog(Struct):
    """What the log holds.

    Attributes:
        last: This source's last frame, by partition; None where it has none.
        cut_ends: By partition, the log's end where its beginning is gone, else 0.
        others: Names of other sources that were met on the way.
        last_ticks: The source's newest in the frames that were read, by ticker, on the scale of the log's end.
        newest_ticks: Its ticks since the time that was asked for, each ticker's in the order of the log; likewise.
    """

    last: list[FrameEnd | None]
    cut_ends: list[int]
    others: set[str]
    last_ticks: dict[str, Tick]
    newest_ticks: list[Tick] = []

    @property
    def last_prices(self) -> dict[str, float]:
        """Give the newest prices."""
        return {ticker: tick.price for ticker, tick in self.last_ticks.items()}


class LogEnd(Protocol):
    """One partition's log, readable by offset."""

    def bounds(self, partition: int) -> tuple[int, int]:
        """Give the first offset and the one after the last."""
        ...

    def values(self, partition: int, first: int, end: int) -> Sequence[bytes | None]:
        """Give the values of the records in `[first, end)` that there are, in order."""
        ...


def read_kept_log(
    log: LogEnd,
    partitions: int,
    source: str,
    tickers: Collection[str] = (),
    since: Callable[[str], int] | None = None,
) -> KeptLog:
    """Read every partition back from its end to the source's last frame, however many others' lie between.

    Args:
        tickers: Whose prices are wanted: for them it reads further back, up to a bound.
        since: Gives, for the position of a partition's last frame, the event time since which the ticks are wanted:
            likewise. None: no ticks are.
    """
    kept = KeptLog([], [], set(), {})
    wanted: list[set[str]] = [set() for _ in range(partitions)]
    for ticker in tickers:
        wanted[partition_of(ticker, partitions)].add(ticker)
    for partition in range(partitions):
        kept.last.append(_last_frame(log, partition, source, wanted[partition], kept, since))
    return kept


def _last_frame(
    log: LogEnd,
    partition: int,
    source: str,
    wanted: set[str],
    kept: KeptLog,
    since: Callable[[str], int] | None,
) -> FrameEnd | None:
    first, end = log.bounds(partition)
    kept.cut_ends.append(end if first else 0)
    last, since_ns = None, None
    scales: dict[str, float] = {}
    for chunk_first, chunk_end in _chunks_backwards(first, end):
        frames = list(_frames(log.values(partition, chunk_first, chunk_end)))
        own = [frame for frame in frames if frame.source == source]
        kept.others |= {frame.source for frame in frames} - {source, REPLAY_SOURCE}
        ticks = _ticks_of(own, scales)
        kept.last_ticks = {tick.ticker: tick for tick in ticks} | kept.last_ticks
        if last is None and own:
            last = own[-1]
            since_ns = since(last.position) if since else None
        kept.newest_ticks[:0] = [tick for tick in ticks if since_ns is not None and tick.time_ns >= since_ns]
        enough = wanted <= kept.last_ticks.keys() and _reaches_back(own, since_ns)
        if last and (enough or end - chunk_first >= _MOST_RECORDS_BACK):
            return last
    return last


def _ticks_of(frames: Sequence[FrameEnd], scales: dict[str, float]) -> list[Tick]:
    """Give the ticks of frames on the scale of the log's end.

    Args:
        scales: By ticker, of what follows these frames; what these tell of splits is added.
    """
    ticks: list[Tick] = []
    for frame in reversed(frames):
        rows = zip(frame.tickers, frame.times_ns, frame.prices, frame.sizes, strict=False)
        ticks += reversed([_scaled(Tick(*row), scales.get(row[0], 1.0)) for row in rows])
        for ticker, factor in frame.rescaled.items():
            scales[ticker] = scales.get(ticker, 1.0) * factor
    return ticks[::-1]


def _scaled(tick: Tick, factor: float) -> Tick:
    return tick if factor == 1.0 else Tick(tick.ticker, tick.time_ns, tick.price * factor, tick.size / factor)


def _reaches_back(frames: Sequence[FrameEnd], since_ns: int | None) -> bool:
    """Tell whether no frame before these can hold a tick of that time."""
    return since_ns is None or any(frame.ingested_at_ns < since_ns - _FUTURE_NS for frame in frames)


def _chunks_backwards(first: int, end: int) -> Iterator[tuple[int, int]]:
    size = _FIRST_CHUNK
    while end > first:
        start = max(first, end - size)
        yield start, end
        end, size = start, min(size * 4, _LARGEST_CHUNK)


_decode = decoder(FrameEnd)


def _frames(values: Iterable[bytes | None]) -> Iterator[FrameEnd]:
    for value in values:
        try:
            yield _decode(value)
        except UndecodableError:  # garbage of somebody else's: the feature stage dead-letters it
            continue


def resume_points(kept: KeptLog, positions: PositionText, source: str, *, named: bool, live: bool) -> list[ResumePoint]:
    """Say where each partition resumes.

    Where the beginning of a partition's log is gone and none of the source's frames is left, they may have been there.
    Then its sequence begins at the log's end, which is above all of them, for a sequence is never above its offset;
    and it resumes where the partition resumes that is furthest behind, for every watermark goes to all of them.

    Args:
        named: The source's name was chosen, so that it may play beside others.
        live: Where it was does not matter: it does not play again what was not sent.

    Raises:
        StopAndSayError: The kept data is another source's, or was made with other options, or the source's place in it
            is gone.
    """
    if not any(kept.last):
        _require_beginning(kept, source, named=named, live=live)
    known = [positions.read(last.position) for last in kept.last if last]
    behind = min(known, default=None)
    points = []
    for last, cut_end in zip(kept.last, kept.cut_ends, strict=True):
        if last:
            points.append(ResumePoint(last.sequence + 1, positions.read(last.position)))
        else:
            points.append(ResumePoint(cut_end, behind if cut_end else None))
    return points


def _require_beginning(kept: KeptLog, source: str, *, named: bool, live: bool) -> None:
    """Check that a source may begin at its beginning: nothing of it is in the log."""
    if kept.others and not named:
        raise StopAndSayError(
            f"the kept data was played by {', '.join(sorted(kept.others))}, not {source}: use the same options to "
            "resume, --fresh to start over, or set TICKCAST_SOURCE_NAME to play beside it"
        )
    if any(kept.cut_ends) and not live:
        lost = f"the beginning of the kept data is gone, and nothing of {source} is left in it"
        if not named:
            raise StopAndSayError(f"{lost}: where it was cannot be known; use --fresh to start over")
        _log.warning("%s: it plays from its beginning", lost)  # most likely, it is new beside the others
