"""Work that blocks does not hold up the end."""

import asyncio
from threading import Event

import pytest

from ingestor.sources.live.threads import in_daemon_thread


def test_the_loop_ends_although_a_request_hangs() -> None:
    goes_on, ended = Event(), []

    def hang() -> None:
        goes_on.wait(3)
        ended.append(True)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(in_daemon_thread(hang), 0.05)

    asyncio.run(give_up())
    assert not ended
    goes_on.set()


async def test_what_it_gives_or_raises_comes_back() -> None:
    assert await in_daemon_thread(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        await in_daemon_thread(lambda: 1 // 0)
