"""Rows must come in the order of their times."""

from schemas.errors import StopAndSayError
from schemas.times import to_rfc3339

#: So many rows in a row that go back in time: the file is sorted by something else.
_MOST_BACKWARDS = 100


class Order:
    """Finds rows that go back in time.

    Args:
        path: For messages.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._backwards = 0

    def problem(self, time_ns: int, least_ns: int) -> str | None:
        """Say what is wrong with a time that should not lie before another.

        Raises:
            StopAndSayError: A hundred rows, one after the other, go back.
        """
        if time_ns >= least_ns:
            self._backwards = 0
            return None
        self._backwards += 1
        if self._backwards > _MOST_BACKWARDS:
            raise StopAndSayError(f"{self._path} is not in the order of time: sort its rows by timestamp")
        return f"timestamp: {to_rfc3339(time_ns)} lies before {to_rfc3339(least_ns)}, which the file had reached"
