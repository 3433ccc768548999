"""The newest rows of a log, by key: whatever the order in which they come, the same set leaves the same rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FIRST_ROOM = 16


class Window:
    """Rows with ascending keys, each key once, at most so many; the ones with the smallest keys go.

    Attributes:
        size: The most rows.
    """

    def __init__(self, size: int, shape: tuple[int, ...], kind: type[np.generic], empty: float = 0) -> None:
        """Begin without rows.

        Args:
            size: The most rows.
            shape: Of a row; its first axis can grow.
            kind: numpy's type of the numbers.
            empty: What a row has where it grew.
        """
        self.size = size
        self._empty = empty
        self._first = self._end = 0
        self._keys = np.zeros(_FIRST_ROOM, np.int64)
        self._rows = np.full((_FIRST_ROOM, *shape), empty, kind)

    @property
    def keys(self) -> NDArray[np.int64]:
        """Give the keys, ascending, (n,); a view."""
        return self._keys[self._first : self._end]

    @property
    def rows(self) -> NDArray[Any]:
        """Give the rows in the order of their keys, (n, *shape); a view."""
        return self._rows[self._first : self._end]

    def add(self, key: int, row: NDArray[Any] | Sequence[float]) -> bool:
        """Put a row in its place; False where its key is there already, or older than all of a full window."""
        keys = self.keys
        at = n = len(keys)
        if n and key <= keys[-1]:
            at = int(np.searchsorted(keys, key))
            if keys[at] == key or (at == 0 and n == self.size):
                return False
        if self._end == len(self._keys):
            self._make_room()
        place, end = self._first + at, self._end
        self._keys[place + 1 : end + 1] = self._keys[place:end]
        self._rows[place + 1 : end + 1] = self._rows[place:end]
        self._keys[place], self._rows[place] = key, row
        self._end += 1
        if n == self.size:
            self._first += 1
        return True

    def row_of(self, key: int) -> NDArray[Any] | None:
        """Give the row of a key, to be changed in place; None where there is none."""
        keys = self.keys
        at = int(np.searchsorted(keys, key))
        return self.rows[at] if at < len(keys) and keys[at] == key else None

    def widen(self, length: int) -> None:
        """Let the first axis of a row be so long, if it is shorter."""
        more = length - self._rows.shape[1]
        if more > 0:
            padding = [(0, 0), (0, more)] + [(0, 0)] * (self._rows.ndim - 2)
            self._rows = np.pad(self._rows, padding, constant_values=self._empty)

    def keep(self, places: Sequence[int]) -> None:
        """Keep these places of the first axis of a row, in this order."""
        self._rows = self._rows[:, list(places)]

    def _make_room(self) -> None:
        """Move the rows to the front, into twice the room until a full window has some to spare."""
        n = self._end - self._first
        room = min(2 * len(self._keys), self.size + max(1, self.size // 4))
        keys, rows = np.zeros(room, np.int64), np.full((room, *self._rows.shape[1:]), self._empty, self._rows.dtype)
        keys[:n], rows[:n] = self.keys, self.rows
        self._keys, self._rows, self._first, self._end = keys, rows, 0, n
