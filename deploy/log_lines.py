"""One log of many processes: their lines, each with its name before it, in colour on a terminal."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import TextIO

from deploy.repeats import Repeats

#: Progress bars rewrite their line many times a second; the log shows one state of them this often.
PROGRESS_EVERY_SECONDS = 5.0

_NAME_WIDTH = 14
_LONGEST_LINE_BYTES = 65_536
_COLOURS = (36, 32, 35, 33, 34, 96, 92, 95)
_OWN_COLOUR = 1
OWN_NAME = "tickcast"


@dataclass(frozen=True)
class Line:
    """A line of a process; `progress` when it ended in a carriage return and the next one replaces it."""

    text: str
    progress: bool = False


class LineSplitter:
    """Cut a stream of bytes into lines; a line without an end is cut at 64 KiB."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Line]:
        """Take bytes, give the lines that are complete."""
        pieces = (self._rest + data).replace(b"\r\n", b"\n").splitlines(keepends=True)
        self._rest = pieces.pop() if pieces and not pieces[-1].endswith(b"\n") else b""
        if self._rest.endswith(b"\r") or len(self._rest) > _LONGEST_LINE_BYTES:
            pieces.append(self._rest)
            self._rest = b""
        return [line for piece in pieces if (line := _line(piece)).text]

    def close(self) -> list[Line]:
        """Give what is left at the end of the stream."""
        rest, self._rest = self._rest, b""
        return [_line(rest)] if rest.strip() else []


def _line(piece: bytes) -> Line:
    text = piece.decode(errors="replace").rstrip()
    return Line(text, progress=piece.endswith(b"\r"))


class Log:
    """Writes every process's lines to one stream."""

    def __init__(self, stream: TextIO, *, colour: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._colour = colour
        self._clock = clock
        self._colours: dict[str, int] = {OWN_NAME: _OWN_COLOUR}
        self._progress_at: dict[str, float] = {}
        self._repeats = Repeats(clock)

    def say(self, text: str) -> None:
        """Write a line of our own, with the time before it as the services' lines have it."""
        self._write(OWN_NAME, f"{datetime.now(UTC):%H:%M:%S} {text}")

    def show(self, name: str, line: Line) -> None:
        """Write a line of a process; of a progress bar's states and of what repeats, one every few seconds."""
        if line.progress:
            now = self._clock()
            if now - self._progress_at.get(name, -PROGRESS_EVERY_SECONDS) < PROGRESS_EVERY_SECONDS:
                return
            self._progress_at[name] = now
        if (text := self._repeats.pass_on(name, line.text)) is not None:
            self._write(name, text)

    def _write(self, name: str, text: str) -> None:
        prefix = f"{name:<{_NAME_WIDTH}} |"
        if self._colour:
            colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        # The reader may be gone or the disk full: the system goes on, and so does its log once it can be written.
        with suppress(OSError, ValueError):
            self._stream.write(f"{prefix} {text}\n")
            self._stream.flush()


def log_to(stream: TextIO) -> Log:
    """Give a log on a stream, coloured on a terminal; a character that its encoding lacks becomes a question mark."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
    return Log(stream, colour=wants_colour(stream))


def wants_colour(stream: TextIO) -> bool:
    """Tell whether to colour: a terminal, and nobody asked for none (NO_COLOR, TERM=dumb)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
