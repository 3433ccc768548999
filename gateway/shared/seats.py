"""Connections that stay, counted over all gateways."""

from collections.abc import Mapping

from gateway.limits.seats import LocalSeats, Seats
from gateway.shared.presence import Presence


class SharedSeats(LocalSeats):
    """Those of one limit: this gateway's, and what the others said a second ago; without Redis, this one's share."""

    def __init__(self, name: str, maximum: int, presence: Presence) -> None:
        super().__init__(name, maximum)
        self._presence = presence

    def take(self, owner: str) -> bool:
        """Take one; tell whether there was one."""
        presence = self._presence
        if presence.alone:
            room = max(1, self.maximum // presence.gateways)
        else:
            room = self.maximum - presence.connections_elsewhere(self._label(owner))
        return self._taken[owner] < room and super().take(owner)

    def counts(self) -> Mapping[str, int]:
        """Give what the other gateways are told."""
        return {self._label(owner): count for owner, count in self._taken.items()}

    def _label(self, owner: str) -> str:
        return f"{self.name}:{owner}"


def make_shared_seats(presence: Presence, name: str, maximum: int) -> Seats:
    """Give the seats of a limit: shared ones where a Redis is configured, else this process' share of them."""
    if not presence.possible:
        return LocalSeats(name, max(1, maximum // presence.gateways))
    seats = SharedSeats(name, maximum, presence)
    presence.count(seats.counts)
    return seats
