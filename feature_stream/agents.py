"""The agent over `ticks`."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

#: Takes records that a Faust event brought from the left, some at a time, and never raises: an exception that left an
#: agent would lose them.
TakeRecords = Callable[[Any, deque[Any]], None]


def ticks_agent(take: TakeRecords) -> Callable[[Any], Awaitable[None]]:
    """Make the agent's function, to be bound to an app.

    Args:
        take: What to do with each micro-batch, records of one partition in the order of its log.
    """

    async def absorb_ticks(stream: Any) -> None:
        async for event in stream.events():
            while event.value:
                take(event, event.value)
                await asyncio.sleep(0)  # all else that is due has its turn, however much work the frames bring

    return absorb_ticks
