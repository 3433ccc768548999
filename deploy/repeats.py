"""Say a line that repeats once in a while: a client that cannot reach its broker says so many times a second."""

import re
from collections import OrderedDict
from collections.abc import Callable

#: The same line, but for its time, is shown once in this time.
SHOWN_EVERY_SECONDS = 10.0

_REMEMBERED = 256
_TIMES = re.compile(r"\b\d\d:\d\d:\d\d\b|\b\d{9,}\.\d+\b")


class Repeats:
    """Remembers the newest lines; the oldest are forgotten first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._shown: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def pass_on(self, name: str, text: str) -> str | None:
        """Give the line to show, with the number of those that were not; None for one that is not shown."""
        key, now = f"{name} {_TIMES.sub('', text)}", self._clock()
        shown_at, hidden = self._shown.get(key, (-SHOWN_EVERY_SECONDS, 0))
        if now - shown_at < SHOWN_EVERY_SECONDS:
            self._shown[key] = (shown_at, hidden + 1)
            return None
        self._shown[key] = (now, 0)
        self._shown.move_to_end(key)
        if len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)
        return f"{text} ({hidden} more like it)" if hidden else text
