"""Which ticks the feature stage would refuse again, by themselves."""

from schemas.events import TickFrame
from schemas.symbols import is_ticker
from schemas.times import from_rfc3339

# The stage's own bounds, which this room may not import. A test holds the two together.
_EARLIEST_NS = from_rfc3339("1900-01-01T00:00:00Z")
_LATEST_NS = from_rfc3339("2200-01-01T00:00:00Z")
_LOWEST_PRICE, _HIGHEST_PRICE = 1e-12, 1e15
_HIGHEST_SIZE = 1e18


def tick_problem(ticker: str, time_ns: int, price: float, size: float) -> str | None:
    """Name the field that is still bad, and what it should be; None: the tick is sound."""
    if not is_ticker(ticker):
        return f"ticker {ticker[:32]!r} is no symbol: give one in upper case, like BRK.B"
    if not _EARLIEST_NS <= time_ns < _LATEST_NS:
        return f"times_ns {time_ns}: give nanoseconds since 1970, between the years 1900 and 2200"
    if not _LOWEST_PRICE <= price <= _HIGHEST_PRICE:
        return f"price {price}: give a number from {_LOWEST_PRICE:g} to {_HIGHEST_PRICE:g}"
    if not 0.0 <= size <= _HIGHEST_SIZE:
        return f"size {size}: give a number from 0 to {_HIGHEST_SIZE:g}"
    return None


def columns_problem(frame: TickFrame) -> str | None:
    """Say what is wrong with the columns as a whole; None: nothing."""
    lengths = {name: len(getattr(frame, name)) for name in ("tickers", "times_ns", "prices", "sizes")}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        return f"its columns differ in length ({said})"
    return None if frame.tickers else "it holds no tick"
