"""Work in a thread of its own, which nobody has to wait for."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_Made = TypeVar("_Made")


def in_background(work: Callable[[], _Made]) -> Future[_Made]:
    """Begin to work, and give what will hold the result: it may take long to come."""
    future: Future[_Made] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # told to whoever asks for the result
            future.set_exception(error)

    threading.Thread(target=run, name="challenger", daemon=True).start()
    return future
