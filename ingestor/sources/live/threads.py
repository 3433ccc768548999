"""Work that blocks, in threads that nobody waits for."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Answer = TypeVar("Answer")


async def in_daemon_thread(work: Callable[[], Answer]) -> Answer:
    """Give what a function gives that blocks.

    A thread of the loop's would hold up the end of the process until it is done.
    """
    answer: Future[Answer] = Future()
    answer.set_running_or_notify_cancel()  # who waits may give up: what comes then is dropped

    def do() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # it stops whoever waits for the answer
            answer.set_exception(error)

    Thread(target=do, name="request", daemon=True).start()
    return await asyncio.wrap_future(answer)
