"""How a fetch is shown: a bar in a terminal, lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

#: Is told the name of each piece, before it is asked for, and the number of pieces that are done.
Tell = Callable[[str, int], None]


@contextmanager
def progress(count: int) -> Iterator[Tell]:
    """Show how many of the pieces are there."""
    if sys.stderr.isatty() and find_spec("rich") is not None:
        with _bar(count) as tell:
            yield tell
    else:
        yield lambda name, done: _line(f"{done + 1} of {count}: {name}")


def _line(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def _bar(count: int) -> Iterator[Tell]:
    from rich.console import Console  # noqa: PLC0415 - of the extra `terminal`
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=count)
        yield lambda name, done: bar.update(task, description=name, completed=done)
