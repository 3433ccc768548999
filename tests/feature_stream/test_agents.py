"""A micro-batch is taken in slices, so that nothing else waits for all of it."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from feature_stream.agents import ticks_agent
from feature_stream.service import _slice


class Stream:
    """A stream of one micro-batch."""

    async def events(self) -> AsyncIterator[SimpleNamespace]:
        yield SimpleNamespace(value=deque(range(10)))


def test_between_two_slices_everything_else_has_its_turn() -> None:
    turns: list[Any] = []

    def take(_event: Any, records: deque[Any]) -> None:
        turns.append([records.popleft() for _ in range(min(4, len(records)))])

    async def scenario() -> None:
        agent = ticks_agent(take)
        working = asyncio.ensure_future(agent(Stream()))
        while not working.done():
            turns.append("another")
            await asyncio.sleep(0)

    asyncio.run(scenario())
    slices = [turn for turn in turns if turn != "another"]
    assert slices == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    first, last = turns.index(slices[0]), turns.index(slices[2])
    assert turns[first:last].count("another") == 2


def test_a_slice_ends_at_its_time_and_keeps_the_rest() -> None:
    events = deque(range(5))
    assert list(_slice(events, time.monotonic() - 1)) == []
    assert list(events) == [0, 1, 2, 3, 4]
    assert list(_slice(events, time.monotonic() + 60)) == [0, 1, 2, 3, 4]
    assert not events
