"""Requests from bytes: one that cannot be read is answered too, wherever it says who asked."""

import re
from dataclasses import dataclass

from msgspec import Struct, field

from schemas import events
from schemas.codec import UndecodableError, decoder
from schemas.events import PriceBar
from schemas.times import INTERVALS

_LONGEST_WORDS = 200
_path_in = re.compile(r" - at `\$\.([^`]*)`$").search
_missing_in = re.compile(r"missing required field `(\w+)`").search
_FIXES = {
    "bars": "bars with start_ns (a whole number), open, high, low and close (numbers), or closes alone",
    "closes": "a list of numbers, the oldest first",
    "interval": f"one of {', '.join(INTERVALS)}",
    "requested_at_ns": "nanoseconds since 1970, a whole number",
    "ticker": "a symbol like AAPL, or none",
}


class ForecastRequest(events.ForecastRequest, frozen=True, kw_only=True):
    """A request whose `bars` may be missing: the released schema asks for them, and must go on to do so."""

    bars: list[PriceBar] = field(default_factory=list)


class _Asker(Struct):
    id: str


@dataclass(frozen=True)
class Unreadable:
    """Why a request cannot be read, naming the field and the fix, and who is to be told."""

    request_id: str
    problem: str


_decode = decoder(ForecastRequest)
_decode_asker = decoder(_Asker)


def read_request(value: bytes | None) -> ForecastRequest | Unreadable:
    """Read a request.

    Raises:
        UndecodableError: It cannot be read, and no id can either.
    """
    try:
        return _decode(value)
    except UndecodableError as error:
        try:
            asker = _decode_asker(value)
        except UndecodableError:
            raise error from None
        return Unreadable(asker.id, _with_fix(str(error).partition(": ")[2]))


def _with_fix(error: str) -> str:
    """Put the field in front and the fix behind; what was sent may be a megabyte, and is cut off."""
    path, missing = _path_in(error), _missing_in(error)
    words = (error[: path.start()] if path else error)[:_LONGEST_WORDS]
    place = path[1] if path else missing[1] if missing else None
    if place is None:
        return words
    fix = _FIXES.get(re.split(r"[.\[]", place)[0])
    return f"{place}: {words}" + (f": send {fix}" if fix else "")
