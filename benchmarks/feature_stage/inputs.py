"""The same ticks in the three shapes that contestants read."""

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import Struct, structs

from benchmarks.feature_stage.contestants import Contestant
from schemas.codec import encode
from schemas.events import TickFrame


class FlatTick(Struct):
    """One tick as a stream without frames would carry it; its key is its ticker."""

    ticker: str
    time_ns: int
    price: float
    size: float
    ingested_at_ns: int


@dataclass(frozen=True, slots=True)
class InputRecord:
    """One record of `ticks`; the key is empty where the record is a frame."""

    partition: int
    key: bytes | None
    value: bytes
    ticks: int


def records(contestant: Contestant, partition: int, frame: TickFrame, first: int = 0) -> Iterator[InputRecord]:
    """Give a frame's ticks as a contestant reads them.

    Args:
        contestant: It.
        partition: Of the frame.
        frame: As `Market.frames` makes it.
        first: Sequence of the first record; for one tick a record, the partition's ticks so far.
    """
    if contestant.input == "frames":
        yield InputRecord(partition, None, encode(frame), len(frame.tickers))
    elif contestant.flat:
        yield from _flat(partition, frame)
    else:
        for single in singles(frame, first):
            yield InputRecord(partition, None, encode(single), 1)


def _flat(partition: int, frame: TickFrame) -> Iterator[InputRecord]:
    for ticker, time_ns, price, size in zip(frame.tickers, frame.times_ns, frame.prices, frame.sizes, strict=True):
        tick = FlatTick(ticker, time_ns, price, size, frame.ingested_at_ns)
        yield InputRecord(partition, ticker.encode(), encode(tick), 1)


def singles(frame: TickFrame, first: int) -> Iterator[TickFrame]:
    """Give a frame's ticks as frames of one.

    Args:
        frame: It.
        first: Sequence of the first one.
    """
    last = len(frame.tickers) - 1
    for index, ticker in enumerate(frame.tickers):
        yield structs.replace(
            frame,
            sequence=first + index,
            tickers=[ticker],
            times_ns=[frame.times_ns[index]],
            prices=[frame.prices[index]],
            sizes=[frame.sizes[index]],
            watermark_ns=frame.watermark_ns if index == last else None,
        )
