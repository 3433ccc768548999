"""Rows must come in the order of their times."""

from collections.abc import Iterable, Iterator

from ingestor.sources.file_reader import Read
from ingestor.sources.moments import Rejected
from schemas.errors import StopAndSayError
from schemas.times import to_rfc3339

#: So many rows, one after the other, that stand in the wrong place: the file is sorted by something else.
_MOST_MISPLACED = 100
#: So far ahead the next good row is looked for; further away, it does not hold the one before up.
_FURTHEST_ROWS = 1_000


class Order:
    """Finds rows that go back in time, or run ahead of it.

    Args:
        path: For messages.
        disorder_ns: How far a row may lie before another that comes earlier in the file.
    """

    def __init__(self, path: str, disorder_ns: int = 0) -> None:
        self._path = path
        self._disorder_ns = disorder_ns
        self._misplaced = 0

    def problem(self, time_ns: int, reached_ns: int, next_ns: int | None) -> str | None:
        """Say what is wrong with a row's time.

        A row is ahead of time, like one with a typo in its year, where the next one goes back further than it may but
        not before what had been reached: playing it would make all that follow late.

        Args:
            reached_ns: No row may lie before this any more.
            next_ns: Of the next good row; None: not known.

        Raises:
            StopAndSayError: A hundred rows, one after the other, stand in the wrong place.
        """
        if time_ns < reached_ns:
            problem = (
                f"timestamp: {to_rfc3339(time_ns)} lies before {to_rfc3339(reached_ns)}, which the file had reached"
            )
        elif next_ns is not None and reached_ns <= next_ns < time_ns - self._disorder_ns:
            problem = f"timestamp: {to_rfc3339(time_ns)} lies ahead of {to_rfc3339(next_ns)}, the time of the next row"
        else:
            self._misplaced = 0
            return None
        self._misplaced += 1
        if self._misplaced > _MOST_MISPLACED:
            raise StopAndSayError(f"{self._path} is not in the order of time: sort its rows by timestamp")
        return problem


def already_played(closed_ns: int) -> str:
    """Say what is wrong with a row that was added, after the file had been played, to a time before its end."""
    return f"timestamp: all before {to_rfc3339(closed_ns)} had been played when this row was added to the file"


def with_next(reads: Iterable[Read | Rejected | None]) -> Iterator[tuple[Read | Rejected | None, Read | None]]:
    """Give every row with the next good one; None where it is not among the next thousand rows.

    The order stays, but rows that were passed over do not wait for it.
    """
    held: Read | None = None
    waiting: list[Rejected] = []
    further = 0
    for read in reads:
        further += 1
        if held is not None and (isinstance(read, Read) or further > _FURTHEST_ROWS):
            yield held, read if isinstance(read, Read) else None
            yield from ((rejected, None) for rejected in waiting)
            held = None
            waiting.clear()
        if isinstance(read, Read):
            held, further = read, 0
        elif held is not None and read is not None:
            waiting.append(read)
        else:
            yield read, None
    if held is not None:
        yield held, None
    yield from ((rejected, None) for rejected in waiting)
