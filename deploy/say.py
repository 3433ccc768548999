"""How people are told: a line at a time, and one line for what ends a command."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from schemas.errors import EXIT_STOP_AND_SAY, StopAndSayError, TickcastError

#: Says one line to the person who started it.
Say = Callable[[str], None]

_EXIT_FAILURE = 1


@contextmanager
def errors_in_one_line(name: str, *more: type[Exception]) -> Iterator[None]:
    """End the program with one line where Tickcast's own errors, or more of them, end what it does.

    Args:
        name: Stands before the line.
        more: Further errors whose text is enough, like OSError.
    """
    expected: tuple[type[Exception], ...] = (TickcastError, *more)
    try:
        yield
    except expected as error:
        with suppress(OSError):  # the terminal may be gone
            print(f"{name}: {error}", file=sys.stderr, flush=True)
        sys.exit(EXIT_STOP_AND_SAY if isinstance(error, StopAndSayError) else _EXIT_FAILURE)
