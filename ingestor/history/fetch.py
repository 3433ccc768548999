"""Fetches the pieces that are not kept, one after the other."""

import asyncio
from collections.abc import Callable, Sequence

from ingestor.history.asked import Piece
from ingestor.history.progress import progress
from ingestor.history.shelf import Shelf
from ingestor.sources.live.provider import NoHistoryError, Provider, only_foreseen
from schemas.errors import RetryError, StopAndSayError
from schemas.times import Interval


def fetch_pieces(
    provider: Provider, shelf: Shelf, missing: Sequence[Piece], interval: Interval, clock_ns: Callable[[], int]
) -> None:
    """Fetch pieces, each kept as soon as it is there.

    Raises:
        RetryError: The provider does not answer, its plan allows no further request, or somebody interrupted.
        StopAndSayError: It refuses the key, the plan or a ticker, or the plan has no bars of the past.
    """
    done = 0

    async def fetch() -> None:
        nonlocal done
        with progress(len(missing)) as tell:
            for piece in missing:
                tell(piece.name, done)
                with only_foreseen():
                    bars = await provider.history([piece.ticker], piece.start_ns, piece.end_ns, interval)
                shelf.put(piece, bars.get(piece.ticker), clock_ns())
                done += 1

    try:
        asyncio.run(fetch())
    except NoHistoryError as error:
        raise StopAndSayError(str(error)) from error
    except (RetryError, KeyboardInterrupt) as error:
        reason = str(error) or "interrupted"
        raise RetryError(
            f"{reason}; {len(missing) - done} of {len(missing)} pieces are missing: the same command goes on there"
        ) from error
