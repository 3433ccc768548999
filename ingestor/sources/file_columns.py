"""What the rows of a file mean: ticks or bars."""

from collections.abc import Sequence
from math import isfinite
from typing import Any, Literal, NamedTuple

from ingestor.sources.bar_play import PlayedBar
from schemas.errors import StopAndSayError
from schemas.events import Tick

FileKind = Literal["ticks", "bars"]
TICK_COLUMNS = ("ticker", "timestamp", "price", "size")
BAR_COLUMNS = ("ticker", "timestamp", "open", "high", "low", "close", "volume")


class TimedBar(NamedTuple):
    """A bar and the time that its row states."""

    time_ns: int
    bar: PlayedBar


def kind_of(columns: Sequence[str], path: str) -> FileKind:
    """Tell ticks from bars by the columns.

    Raises:
        StopAndSayError: Columns are missing, or there twice; the line names them.
    """
    twice = [name for name in dict.fromkeys((*TICK_COLUMNS, *BAR_COLUMNS)) if columns.count(name) > 1]
    if twice:
        raise StopAndSayError(f"{path} has more than one column {', '.join(twice)}: leave one of each")
    missing_of_ticks = [name for name in TICK_COLUMNS if name not in columns]
    missing_of_bars = [name for name in BAR_COLUMNS if name not in columns]
    if not missing_of_bars:
        return "bars"
    if not missing_of_ticks:
        return "ticks"
    looks_like_ticks = "price" in columns or "size" in columns
    missing = missing_of_ticks if looks_like_ticks else missing_of_bars
    kind, names = ("ticks", TICK_COLUMNS) if looks_like_ticks else ("bars", BAR_COLUMNS)
    raise StopAndSayError(
        f"{path} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}: "
        f"a file of {kind} has {','.join(names)}"
    )


def parse_tick(ticker: str, time_ns: int, numbers: list[float]) -> Tick:
    """Make a tick of price and size."""
    price, size = numbers
    return Tick(ticker, time_ns, price, size)


def parse_bar(ticker: str, time_ns: int, numbers: list[float]) -> TimedBar:
    """Make a bar of open, high, low, close and volume.

    Raises:
        ValueError: Low and high do not hold the other two.
    """
    first, high, low, last, volume = numbers
    if not low <= min(first, last) <= max(first, last) <= high:
        raise ValueError(f"low {low} and high {high} do not hold open {first} and close {last}")
    return TimedBar(time_ns, PlayedBar(ticker, first, high, low, last, volume))


def parse_numbers(names: Sequence[str], values: Sequence[Any]) -> list[float]:
    """Read prices, which are positive, and sizes or volumes, which are not negative.

    Raises:
        ValueError: One is not such a number; the text names its column.
    """
    numbers = []
    for name, value in zip(names, values, strict=True):
        try:
            if isinstance(value, str) and "_" in value:
                raise ValueError("Python would pass over the underscore")
            number = float(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{name}: {str(value)[:40]!r} is not a number") from error
        least_is_met = number >= 0 if name in ("size", "volume") else number > 0
        if not (isfinite(number) and least_is_met):
            raise ValueError(f"{name}: {number} is not a {'' if name in ('size', 'volume') else 'positive '}number")
        numbers.append(number)
    return numbers
