"""What the person presses."""

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

_ENOUGH = {b"q", b"Q", b"\x04"}  # the last one is Ctrl-D
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ending_on_keys(stop: asyncio.Event) -> Iterator[None]:
    """Set an event when q is pressed, and on Ctrl-C and SIGTERM; the terminal is as it was afterwards."""
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        with _single_keys(loop, stop) if sys.stdin.isatty() else nullcontext():
            yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


@contextmanager
def _single_keys(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> Iterator[None]:
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)

    def pressed() -> None:
        keys = os.read(keyboard, 1_024)
        if not keys or any(key in keys for key in _ENOUGH):  # nothing: the terminal is gone
            stop.set()

    tty.setcbreak(keyboard)
    loop.add_reader(keyboard, pressed)
    try:
        yield
    finally:
        loop.remove_reader(keyboard)
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
