"""What a provider's local server must be able to do, so that the contract can be tested against it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.calls import Calls
from ingestor.sources.live.provider import Provider

#: The good key of every fake, in two parts where the provider wants two; no log may have it.
KEY, SECRET = "PKgoodkey0123456789", "very-secret-0123456789abcdef"


class FakeProvider(Protocol):
    """A server that speaks a provider's protocol, and misbehaves when told to.

    Attributes:
        history: Minute bars by ticker and start.
        requests: What was asked of its REST side.
        connections: How many times a stream was subscribed.
        answers: Statuses of the next answers of its REST side, each with a `Retry-After` or None; then 200.
        body: What its REST side answers with 200 instead of bars; None: bars.
        page_bars: So many bars are on one page of an answer, where it has pages.
        precision_ns: Times of its ticks are multiples of this.
        polls: It has no stream: it is asked again and again, for prices that have no number and no time of their own.
            `requests` are then those for history only.
        keyless: It has no key that could be wrong.
        counts_day_volume: Sizes are what its volume of the day grew by, with the first price of a connection by nobody
            knows what.
    """

    history: dict[str, dict[int, PlayedBar]]
    requests: list[str]
    connections: int
    answers: list[tuple[int, str | None]]
    body: bytes | None
    page_bars: int
    precision_ns: int
    polls: bool
    keyless: bool
    counts_day_volume: bool

    def running(self) -> AbstractAsyncContextManager[None]:
        """Serve."""
        ...

    def provider(self, calls: Calls, *, key: str = KEY, secret: str = SECRET) -> Provider:
        """Give the provider, set up for this server."""
        ...

    async def send(self, *ticks: tuple[str, int, float, float, int]) -> None:
        """Send ticks (ticker, time, price, size, number) in one piece."""
        ...

    async def send_garbage(self) -> None:
        """Send two messages that nobody can understand: one that is no message, one without its price."""
        ...

    async def drop(self) -> None:
        """Break all connections."""
        ...


async def until(holds: Callable[[], bool], *, seconds: float = 60.0, what: str) -> None:
    """Wait for a condition."""
    for _ in range(int(seconds / 0.01)):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within {seconds:g} s: {what}")
