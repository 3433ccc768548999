"""The agent over `ticks`."""

from collections.abc import Awaitable, Callable
from typing import Any

#: Takes a micro-batch of Faust events and never raises: an exception that left an agent would lose its events.
TakeEvents = Callable[[list[Any]], None]


def ticks_agent(take: TakeEvents, *, records: int, within_seconds: float) -> Callable[[Any], Awaitable[None]]:
    """Make the agent's function, to be bound to an app.

    Args:
        take: What to do with each micro-batch.
        records: At most so many records a batch.
        within_seconds: How long a batch gathers.
    """

    async def absorb_ticks(stream: Any) -> None:
        async for events in stream.take_events(records, within=within_seconds):
            take(events)

    return absorb_ticks
