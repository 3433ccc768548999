"""Scoreboards to test with."""

from typing import Any

import msgspec
from msgspec import structs

from schemas.asyncapi_messages import read_example
from schemas.events import Scoreboard

EXAMPLE = msgspec.convert(read_example("Scoreboard"), Scoreboard)


def board(ticker: str = "AAPL", **changes: Any) -> Scoreboard:
    """Give a ticker's board, with changes."""
    return structs.replace(EXAMPLE, ticker=ticker, **changes)
