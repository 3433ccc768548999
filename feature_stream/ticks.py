"""Which ticks are sound by themselves, and what is said against the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from schemas.symbols import is_ticker
from schemas.times import from_rfc3339

#: Event times outside cannot be meant, and near the ends of 64 bits a bar would have no end.
EARLIEST_NS = from_rfc3339("1900-01-01T00:00:00Z")
LATEST_NS = from_rfc3339("2200-01-01T00:00:00Z")
#: Prices and sizes outside would overflow or vanish in sums and ratios; inside, every feature is finite.
LOWEST_PRICE, HIGHEST_PRICE = 1e-12, 1e15
HIGHEST_SIZE = 1e18


class Reason(StrEnum):
    """Why a tick is not absorbed."""

    TICKER = "ticker: no symbol in upper case"
    TIME = "time: no whole number of nanoseconds since 1970, between the years 1900 and 2200"
    PRICE = "price: not a positive finite number (from 1e-12 to 1e15)"
    SIZE = "size: not a finite number of 0 or more (up to 1e18)"
    PARTITION = "partition: its ticker lives on another one"
    LATE = "late"
    EARLY = "early"


@dataclass(frozen=True, slots=True)
class BadTick:
    """A tick to dead-letter; `index` is its place in the frame as it came."""

    index: int
    reason: Reason


#: Tickers seen to be sound: a set, because thousands are asked for at once.
_known: set[str] = set()
_MOST_KNOWN = 65_536


def all_good(tickers: Sequence[str], times_ns: Sequence[int], prices: Sequence[float], sizes: Sequence[float]) -> bool:
    """Tell at once whether all ticks of well-typed columns are sound; no number may be NaN."""
    return not tickers or (
        min(times_ns) >= EARLIEST_NS
        and max(times_ns) < LATEST_NS
        and min(prices) >= LOWEST_PRICE
        and max(prices) <= HIGHEST_PRICE
        and min(sizes) >= 0.0
        and max(sizes) <= HIGHEST_SIZE
        and all_tickers(tickers)
    )


def all_tickers(tickers: Sequence[str]) -> bool:
    """Tell whether all are symbols as the contract has them."""
    if _known.issuperset(tickers):
        return True
    unknown = set(tickers) - _known
    if not all(map(is_ticker, unknown)):
        return False
    if len(_known) + len(unknown) > _MOST_KNOWN:
        _known.clear()
    _known.update(unknown)
    return True


def reason_against(ticker: Any, time_ns: Any, price: Any, size: Any) -> Reason | None:
    """Say what is wrong with one tick, of whatever types its values are; None: it is sound."""
    if not isinstance(ticker, str) or not is_ticker(ticker):
        return Reason.TICKER
    if not _is_number(time_ns, int) or not EARLIEST_NS <= time_ns < LATEST_NS:
        return Reason.TIME
    if not _is_number(price, (int, float)) or not LOWEST_PRICE <= price <= HIGHEST_PRICE:
        return Reason.PRICE
    if not _is_number(size, (int, float)) or not 0.0 <= size <= HIGHEST_SIZE:
        return Reason.SIZE
    return None


def _is_number(value: Any, types: type | tuple[type, ...]) -> bool:
    return isinstance(value, types) and not isinstance(value, bool)
