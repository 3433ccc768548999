"""Many tickers at once: what is known of each, and an error in the place of each other one."""

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from gateway.asked import find
from gateway.bodies import read_as
from gateway.outage import as_known
from gateway.parts import Parts
from gateway.problems import ProblemError, bad_request
from schemas.public import Integer

#: Tickers that are answered at once.
LARGEST_BATCH = 500
#: Tickers of one request.
MOST_TICKERS = 5_000
#: Tickers of a queued batch that are looked up at a stretch; between two stretches others have their turn.
_STRETCH = 100
EXAMPLE = '{"tickers": ["AAPL", "MSFT"]}'


class BatchRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The tickers that are wanted."""

    tickers: list[str]


class TickerError(Struct, frozen=True, kw_only=True):
    """Why there is no prediction for one ticker: as the answer to it alone would say, without guesses at another."""

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
    if not 1 <= len(tickers) <= MOST_TICKERS:
        detail = f"{len(tickers)} tickers: name 1 to {MOST_TICKERS:,} at once, or GET /predictions for all"
        raise bad_request("invalid-batch", "tickers", detail, maximum=MOST_TICKERS)
    return tickers


def batch_body(parts: Parts, tickers: list[str]) -> bytes:
    """Give the JSON of a batch, in the order asked for."""
    return _body([_one(parts, ticker) for ticker in tickers])


async def queued_batch_body(parts: Parts, tickers: list[str]) -> bytes:
    """Give it while others have their turns, as of now: with its age where Kafka is away."""
    found: list[bytes] = []
    for start in range(0, len(tickers), _STRETCH):
        found += [_one(parts, ticker) for ticker in tickers[start : start + _STRETCH]]
        await asyncio.sleep(0)
    return as_known(parts, _body(found))


def _body(found: list[bytes]) -> bytes:
    return b'{"predictions":[%b]}' % b",".join(found)


def _one(parts: Parts, ticker: str) -> bytes:
    try:
        return find(parts, ticker, guess=False).body
    except ProblemError as error:
        said = msgspec.convert(error.document(), TickerError)
        return msgspec.json.encode(FailedTicker(ticker=ticker[:32], error=said))
