"""Ticker symbols."""

import re

from schemas.errors import DeadLetterError

#: Applied after upper-casing.
TICKER_PATTERN = r"^[A-Z][A-Z0-9.\-]{0,9}$"
_TICKER = re.compile(TICKER_PATTERN + r"\Z")


class InvalidTickerError(DeadLetterError, ValueError):
    """A text that is no ticker symbol."""


def is_ticker(text: str) -> bool:
    """Tell whether the text is a ticker symbol as it stands (upper case)."""
    return _TICKER.match(text) is not None


def normalise_ticker(text: str) -> str:
    """Upper-case a ticker symbol and check it.

    Raises:
        InvalidTickerError: The text is no symbol, even in upper case.
    """
    ticker = text.strip().upper()
    if not text.isascii() or not is_ticker(ticker):  # the upper case of "\u00df" is "SS", another symbol
        raise InvalidTickerError(
            f"ticker {text[:32]!r} is not a symbol: use a letter and up to nine of A-Z, 0-9, '.' and '-', like 'BRK.B'"
        )
    return ticker
