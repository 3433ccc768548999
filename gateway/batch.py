"""Many tickers at once: what is known of each, and an error in the place of each other one."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from gateway.asked import find
from gateway.bodies import read_as
from gateway.parts import Parts
from gateway.problems import ProblemError, bad_request
from schemas.public import Integer

#: Tickers of one request.
LARGEST_BATCH = 500
EXAMPLE = '{"tickers": ["AAPL", "MSFT"]}'


class BatchRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The tickers that are wanted."""

    tickers: list[str]


class TickerError(Struct, frozen=True, kw_only=True):
    """Why there is no prediction for one ticker: as the answer to it alone would say."""

    type: str
    title: str
    status: Integer
    detail: str
    field: str | None = None


class FailedTicker(Struct, frozen=True, kw_only=True):
    """In the place of a prediction.

    Attributes:
        ticker: As it was sent, its first 32 characters.
    """

    ticker: Annotated[str, Meta(pattern=r"^[\s\S]{0,32}$")]
    error: TickerError


def read_tickers(given: Any) -> list[str]:
    """Read a batch: an object, or a bare list.

    Raises:
        ProblemError: 400.
    """
    given = {"tickers": given} if isinstance(given, list) else given
    tickers = read_as(given, BatchRequest, EXAMPLE).tickers
    if not 1 <= len(tickers) <= LARGEST_BATCH:
        detail = f"{len(tickers)} tickers: name 1 to {LARGEST_BATCH} at once, or GET /predictions for all"
        raise bad_request("invalid-batch", "tickers", detail, maximum=LARGEST_BATCH)
    return tickers


def batch_body(parts: Parts, tickers: list[str]) -> bytes:
    """Give the JSON of a batch, in the order asked for."""
    return b'{"predictions":[%b]}' % b",".join([_one(parts, ticker) for ticker in tickers])


def _one(parts: Parts, ticker: str) -> bytes:
    try:
        return find(parts, ticker).body
    except ProblemError as error:
        said = msgspec.convert(error.document(), TickerError)
        return msgspec.json.encode(FailedTicker(ticker=ticker[:32], error=said))
