"""Whoever asks, however he has said who he is."""

from typing import Literal, Protocol

from gateway.access.scopes import Scope

#: With what he has said it.
Kind = Literal["key", "token"]


class Caller(Protocol):
    """A key, or a user with an access token, as it is now."""

    @property
    def kind(self) -> Kind:
        """Tell with what he has said who he is."""

    @property
    def id(self) -> str:
        """Give the id of the key, or of the user."""

    @property
    def who(self) -> str:
        """Name him for the log, without a secret."""

    @property
    def scopes(self) -> frozenset[Scope]:
        """Give what he may."""

    @property
    def expires_ns(self) -> int | None:
        """Give the wall time from which on this is not accepted; None: never."""

    def trouble(self, now_ns: int) -> str | None:
        """Say why it is not accepted; None where it is."""
