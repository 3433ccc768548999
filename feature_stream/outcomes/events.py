"""Records of the two logs, read and checked: what is wrong with one is known before anything changes."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from feature_stream.turns import Side, Waiting
from schemas.codec import UndecodableError, decoder
from schemas.events import Bar, Prediction
from schemas.partitioning import partition_of
from schemas.symbols import is_ticker

#: Prices outside are taken for garbage, as the predictor does; inside, no return overflows.
SMALLEST_PRICE, LARGEST_PRICE = 1e-12, 1e15
_LARGEST_NUMBER = 2**62


class Problem(StrEnum):
    """Why an event is unusable: the first word of what its dead letter says."""

    UNDECODABLE = "undecodable"
    TICKER = "ticker"
    PARTITION = "partition"
    PRICE = "price"
    TIME = "time"
    BAR_INDEX = "bar_index"


_decode: dict[Side, Callable[[bytes | None], Bar | Prediction]] = {
    Side.BARS: decoder(Bar),
    Side.PREDICTIONS: decoder(Prediction),
}


def read(side: Side, record: Any, partitions: int) -> Waiting:
    """Read a record of one of the two logs.

    Args:
        side: Which one.
        record: As `TickReader` gives it.
        partitions: Of the topic.
    """
    try:
        event = _decode[side](record.value)
    except UndecodableError as error:
        return Waiting(record.offset, None, f"{Problem.UNDECODABLE}: {error}", record)
    problem = _problem_of(event, record.partition, partitions)
    return Waiting(record.offset, None if problem else event, problem, record)


def _problem_of(event: Bar | Prediction, partition: int, partitions: int) -> str:
    """Say what makes an event unusable; empty where nothing does."""
    if not is_ticker(event.ticker):
        return f"{Problem.TICKER}: {event.ticker[:32]!r} is not a symbol"
    if partition_of(event.ticker, partitions) != partition:
        return f"{Problem.PARTITION}: {event.ticker} lives on another one"
    price = event.close if isinstance(event, Bar) else event.current_price
    if not SMALLEST_PRICE <= price <= LARGEST_PRICE:
        return f"{Problem.PRICE}: {price} is none"
    time_ns = event.end_ns if isinstance(event, Bar) else event.as_of_ns
    if abs(time_ns) >= _LARGEST_NUMBER or not 0 <= event.source_offset < _LARGEST_NUMBER:
        return f"{Problem.TIME}: it, or the offset, is out of range"
    return "" if 1 <= event.bar_index < _LARGEST_NUMBER else f"{Problem.BAR_INDEX}: {event.bar_index} is none"
