"""The options that decide what a position means, as short texts."""

import hashlib
from collections.abc import Sequence

from schemas.times import to_rfc3339

_LONGEST = 60


def tickers_text(tickers: Sequence[str]) -> str:
    """Give a list of tickers, `*` for all of the source's, or a digest where the list is long."""
    text = ",".join(tickers) or "*"
    return text if len(text) <= _LONGEST else f"{len(tickers)} tickers {digest(text)}"


def time_text(time_ns: int | None, none: str = "first") -> str:
    """Give a time, a date where it is midnight, or what stands for none."""
    return none if time_ns is None else to_rfc3339(time_ns).removesuffix("T00:00:00Z")


def digest(text: str) -> str:
    """Give a short digest."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
