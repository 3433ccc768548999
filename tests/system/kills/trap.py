"""A trap in a process of a test: it kills the process in the middle of what the test has named.

The test writes where into the file `armed` of the process's home: `before X N`, `after X N` or `half X N`, at the N-th
call of a function X since then; `half` lets it write the first half of what it was given. A trap springs once.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ARMED = "armed"


class Trap:
    """Watches functions.

    Args:
        home: Where the file lies.
        before_us: Is killed first, and then this process.
    """

    def __init__(self, home: Path, before_us: int | None = None) -> None:
        self._file = home / ARMED
        self._victims = [os.getpid()] if before_us is None else [before_us, os.getpid()]
        self._calls: Counter[str] = Counter()

    def watch(self, owner: Any, *names: str) -> None:
        """Let functions of a class or a module be where the trap springs; their last argument may be content."""
        for name in names:
            place = f"{owner.__name__.rpartition('.')[2]}.{name}"
            setattr(owner, name, self._watched(getattr(owner, name), place))

    def _watched(self, whole: Callable[..., Any], place: str) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            if self._springs(f"half {place}"):
                *first, content = arguments
                whole(*first, content[: len(content) // 2], **named)
                self._kill()
            if self._springs(f"before {place}"):
                self._kill()
            result = whole(*arguments, **named)
            if self._springs(f"after {place}"):
                self._kill()
            return result

        return watched

    def _springs(self, point: str) -> bool:
        try:
            armed, _, number = self._file.read_text().rpartition(" ")
        except FileNotFoundError:
            return False
        self._calls[point] += armed == point
        return armed == point and self._calls[point] == int(number)

    def _kill(self) -> None:
        self._file.unlink()
        for process_id in self._victims:
            os.kill(process_id, signal.SIGKILL)
