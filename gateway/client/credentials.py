"""Who we are."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.sockets import Auth


@dataclass(frozen=True)
class Credentials:
    """An API key, or a source of access tokens, or neither.

    Attributes:
        token: Asked whenever one is needed, since they expire: for each request, and each connection of a stream, and
            again on it before the last one expires.
    """

    api_key: str | None = None
    token: Callable[[], str] | None = None

    def headers(self) -> dict[str, str]:
        """Give the headers of a request."""
        if self.api_key is not None:
            return {"X-API-Key": self.api_key}
        return {} if self.token is None else {"Authorization": f"Bearer {self.token()}"}

    def messages(self) -> list[Auth]:
        """Give what is said first on a socket."""
        if self.api_key is not None:
            return [Auth(key=self.api_key)]
        return [] if self.token is None else [Auth(token=self.token())]

    def further_messages(self) -> list[Auth]:
        """Give what is said on a socket when what was said first expires."""
        return [] if self.token is None or self.api_key is not None else [Auth(token=self.token())]
