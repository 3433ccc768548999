"""A command in a terminal of its own, and what a person sees there."""

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from tests.gateway.web import DEADLINE_SECONDS, until
from tests.processes import clean_environment

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_OF_OTHER_TERMINALS = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}
#: Every frame begins at the upper left corner.
_HOME = "\x1b[H"


@dataclass
class Terminal:
    """A process on a pseudo-terminal."""

    process: "subprocess.Popen[bytes]"
    master: int
    written: bytearray = field(default_factory=bytearray)

    def text(self) -> str:
        """Give all that was written, with the control sequences."""
        return self.written.decode(errors="replace")

    def screen(self) -> str:
        """Give the last whole frame."""
        frames = self.text().split(_HOME)
        return _CONTROL.sub("", frames[-2]) if len(frames) > 2 else ""

    async def shows(self, holds: Callable[[str], bool], what: str) -> None:
        """Wait until a frame is as it should be."""
        try:
            await until(lambda: holds(self.screen()), what)
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows:\n{self.screen()}\n{self.text()[-2_000:]}") from None

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.master, keys)

    def resize(self, columns: int, lines: int) -> None:
        """Pull at the window's corner."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    async def ended(self) -> int:
        """Wait for the end, and give the exit code."""
        return await asyncio.to_thread(self.process.wait, DEADLINE_SECONDS)

    def take(self) -> None:
        """Take what was written."""
        with contextlib.suppress(OSError):  # nobody writes there any more
            self.written += os.read(self.master, 65_536)


@contextlib.asynccontextmanager
async def opened(*words: str, columns: int = 100, **variables: str) -> AsyncIterator[Terminal]:
    """Start `tickcast watch` in a terminal."""
    master, slave = pty.openpty()
    machine = {name: value for name, value in clean_environment().items() if name not in _OF_OTHER_TERMINALS}
    environment = machine | {"TERM": "xterm-256color"} | variables
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "watch", *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - so that Ctrl-C reaches it
    )
    terminal = Terminal(process, master)
    terminal.resize(columns, 20)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, terminal.take)
    try:
        yield terminal
    finally:
        process.kill()
        process.wait()
        loop.remove_reader(master)
        os.close(master)
        os.close(slave)
