"""Bars of the past, of the first provider that has them."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from ingestor.sources.bars import BarColumns
from ingestor.sources.live.provider import BudgetSpentError, Provider, ProviderAwayError, only_foreseen
from schemas.errors import StopAndSayError
from schemas.times import Interval

_log = logging.getLogger(__name__)


async def first_history(
    providers: Iterable[Provider],
    tickers: Sequence[str],
    start_ns: int,
    end_ns: int,
    interval: Interval,
    others_seconds: float | None = None,
) -> dict[str, BarColumns]:
    """Ask providers, one after the other, until one has bars that start in `[start_ns, end_ns)`; {} where none has.

    Args:
        others_seconds: Each but the first has so long for its answer; None: as long as it takes.

    Raises:
        ProviderAwayError: None answers.
        BudgetSpentError: The only one's plan allows no request now.
        StopAndSayError: All refuse the key, or the plan.
    """
    answered, errors = False, []
    for number, provider in enumerate(providers):
        try:
            with only_foreseen():
                async with asyncio.timeout(others_seconds if number else None):
                    bars = await provider.history(tickers, start_ns, end_ns, interval)
        except (ProviderAwayError, BudgetSpentError, StopAndSayError) as error:
            _log.info("no bars of the past: %s", error)
            errors.append(error)
            continue
        if bars:
            return bars
        answered = True
    if answered:
        return {}
    raise _one_of(errors)


def _one_of(errors: Sequence[Exception]) -> Exception:
    if len(errors) == 1:
        return errors[0]
    together = "; ".join(map(str, errors))
    refused = all(isinstance(error, StopAndSayError) for error in errors)
    return StopAndSayError(together) if refused else ProviderAwayError(together)
