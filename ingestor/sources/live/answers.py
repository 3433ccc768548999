"""What a provider's HTTP answers mean, and the bars in them."""

from collections.abc import Sequence

import numpy as np

from ingestor.sources.bars import BarColumns
from ingestor.sources.live.provider import ProviderAwayError
from schemas.errors import StopAndSayError
from schemas.times import NS_PER_SECOND

#: What is raised where an answer is not of the known form.
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


def http_error(source: str, status: int, words: str, retry_after: str | None = None) -> Exception:
    """Give the error that an answer other than 200 is.

    Args:
        words: What it says; without the key.
        retry_after: Its header of that name.
    """
    if status in (401, 403):
        return StopAndSayError(f"{source} refuses the key, or the plan does not allow this request: {words}")
    if status in (400, 422):
        return StopAndSayError(f"{source} does not understand the request: {words}")
    wait = float(retry_after) if retry_after and retry_after.isdecimal() else None
    return ProviderAwayError(f"{source} answers {status}", wait)


def bar_columns(rows: Sequence[tuple[float, ...]]) -> BarColumns:
    """Give bars in order of time.

    Args:
        rows: Start (whole seconds since 1970), open, high, low, close, volume; in any order.
    """
    table = np.array(sorted(rows), dtype=np.float64).reshape(len(rows), 6)
    return BarColumns(
        table[:, 0].astype(np.int64) * NS_PER_SECOND, *(table[:, column].copy() for column in range(1, 6))
    )
