"""Where the log ends for a source: every partition read back to its last frame, and to the prices it resumes from."""

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from ingestor.frames import ResumePoint
from ingestor.positions import PositionText
from schemas.codec import UndecodableError, decoder
from schemas.dead_letters import REPLAY_SOURCE
from schemas.errors import StopAndSayError
from schemas.partitioning import partition_of

_log = logging.getLogger(__name__)

#: Records read back from the end of a partition, at first; each further piece is four times as long.
_FIRST_CHUNK = 32
_LARGEST_CHUNK = 2_048
#: So far a partition is read back for prices, beyond its last frame.
_RECORDS_FOR_PRICES = 20_000


class FrameEnd(Struct, frozen=True):
    """What resuming needs of a frame."""

    source: str
    sequence: int
    position: str
    tickers: list[str] = []
    prices: list[float] = []


class KeptLog(Struct):
    """What the log holds.

    Attributes:
        last: This source's last frame, by partition; None where it has none.
        cut_ends: By partition, the log's end where its beginning is gone, else 0.
        others: Names of other sources that were met on the way.
        last_prices: The source's newest prices in the frames that were read, by ticker.
    """

    last: list[FrameEnd | None]
    cut_ends: list[int]
    others: set[str]
    last_prices: dict[str, float]


class LogEnd(Protocol):
    """One partition's log, readable by offset."""

    def bounds(self, partition: int) -> tuple[int, int]:
        """Give the first offset and the one after the last."""
        ...

    def values(self, partition: int, first: int, end: int) -> Sequence[bytes | None]:
        """Give the values of the records in `[first, end)` that there are, in order."""
        ...


def read_kept_log(log: LogEnd, partitions: int, source: str, tickers: Collection[str] = ()) -> KeptLog:
    """Read every partition back from its end to the source's last frame, however many others' lie between.

    Args:
        tickers: Whose prices are wanted: for them it reads further back, up to a bound.
    """
    kept = KeptLog([], [], set(), {})
    wanted: list[set[str]] = [set() for _ in range(partitions)]
    for ticker in tickers:
        wanted[partition_of(ticker, partitions)].add(ticker)
    for partition in range(partitions):
        kept.last.append(_last_frame(log, partition, source, wanted[partition], kept))
    return kept


def _last_frame(log: LogEnd, partition: int, source: str, wanted: set[str], kept: KeptLog) -> FrameEnd | None:
    first, end = log.bounds(partition)
    kept.cut_ends.append(end if first else 0)
    last = None
    for chunk_first, chunk_end in _chunks_backwards(first, end):
        frames = list(_frames(log.values(partition, chunk_first, chunk_end)))
        own = [frame for frame in frames if frame.source == source]
        kept.others |= {frame.source for frame in frames} - {source, REPLAY_SOURCE}
        prices = {ticker: price for frame in own for ticker, price in zip(frame.tickers, frame.prices, strict=False)}
        kept.last_prices = prices | kept.last_prices
        last = last or (own[-1] if own else None)
        if last and (wanted <= kept.last_prices.keys() or end - chunk_first >= _RECORDS_FOR_PRICES):
            return last
    return last


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
