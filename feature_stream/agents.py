"""The agent over `ticks`."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

#: Takes Faust events from the left, some at a time, and never raises: an exception that left an agent would lose them.
TakeEvents = Callable[[deque[Any]], None]


def ticks_agent(take: TakeEvents, *, records: int, within_seconds: float) -> Callable[[Any], Awaitable[None]]:
    """Make the agent's function, to be bound to an app.

    Args:
        take: What to do with each micro-batch.
        records: At most so many records a batch.
        within_seconds: How long a batch gathers.
    """

    async def absorb_ticks(stream: Any) -> None:
        async for events in stream.take_events(records, within=within_seconds):
            waiting = deque(events)
            while waiting:
                take(waiting)
                await asyncio.sleep(0)  # all else that is due has its turn, however much work the frames bring

    return absorb_ticks
