"""What the signals that end a program do to ours."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_HANGUP_COUNTS = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN  # under nohup it does not

#: Ctrl-C, an order from outside, a terminal that is closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if _HANGUP_COUNTS else []))

#: How a shell says that Ctrl-C ended a program.
EXIT_INTERRUPTED = 130


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def raise_on_signals() -> None:
    """Let every one of them raise KeyboardInterrupt, as Ctrl-C does by default."""
    for number in SIGNALS:
        signal.signal(number, _interrupt)


@contextmanager
def ignore_signals() -> Iterator[None]:
    """Let none disturb what must be finished, and ends in bounded time."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        raise_on_signals()
