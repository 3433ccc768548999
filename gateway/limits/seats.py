"""How many connections that stay everybody may have open at a time."""

from collections import Counter
from typing import Protocol

from gateway.limits.reached import limit_reached
from gateway.problems import ProblemError

#: By then, connections that broke without a word have been noticed.
_RETRY_SECONDS = 30


class Seats(Protocol):
    """Those of one limit, for each owner. Both answer at once, from what this process knows."""

    @property
    def name(self) -> str:
        """Give the limit's name."""

    @property
    def maximum(self) -> int:
        """Give how many each owner has."""

    def take(self, owner: str) -> bool:
        """Take one; tell whether there was one."""

    def give_back(self, owner: str) -> None:
        """Give back one that was taken."""


class LocalSeats:
    """Those of this process."""

    def __init__(self, name: str, maximum: int) -> None:
        self.name = name
        self.maximum = maximum
        self._taken: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, owner: str) -> bool:
        """Take one; tell whether there was one."""
        if self._taken[owner] >= self.maximum:
            return False
        self._taken[owner] += 1
        return True

    def give_back(self, owner: str) -> None:
        """Give back one that was taken."""
        self._taken[owner] -= 1
        if not self._taken[owner]:
            del self._taken[owner]


class Seat:
    """One connection's: one of its address, and one of its key once that is known."""

    def __init__(self, of_clients: Seats, of_keys: Seats) -> None:
        self._of_clients = of_clients
        self._of_keys = of_keys
        self._client: str | None = None
        self._key_id: str | None = None

    def take(self, client: str, key_id: str | None) -> ProblemError | None:
        """Take what is needed at the beginning; tell why that cannot be."""
        if not self._of_clients.take(client):
            return _too_many(self._of_clients)
        self._client = client
        if key_id is not None and not self.belong_to(key_id):
            return _too_many(self._of_keys)
        return None

    def belong_to(self, key_id: str) -> bool:
        """Be counted for a key from now on; tell whether it has a seat left."""
        if key_id == self._key_id:
            return True
        if not self._of_keys.take(key_id):
            return False
        self._leave_key()
        self._key_id = key_id
        return True

    def leave(self) -> None:
        """Give everything back."""
        self._leave_key()
        if self._client is not None:
            self._of_clients.give_back(self._client)
            self._client = None

    def _leave_key(self) -> None:
        if self._key_id is not None:
            self._of_keys.give_back(self._key_id)
            self._key_id = None


def _too_many(seats: Seats) -> ProblemError:
    detail = (
        f'the limit "{seats.name}" is reached: {seats.maximum:,} WebSockets and event streams at a time; '
        "close some of them, or send more tickers over one"
    )
    return limit_reached("too-many-connections", seats.name, detail, _RETRY_SECONDS)
